// as common/cluster/x.cpp: lies above it
#include "scheduler/decide/state.hpp"
