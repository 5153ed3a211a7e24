// as common/base/x.hpp: without #pragma once
struct Twice {};
