// as common/base/x.hpp: using namespace in a header
#pragma once
using namespace std;
