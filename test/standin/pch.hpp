#pragma once

// What every file of the machines includes; parsed once.
#include "test/standin/messages.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>
