// as executor/in/x.cpp: another program
#include "scheduler/decide/state.hpp"
