// as common/cluster/x.cpp: reads a clock
auto now = Clock::now();
