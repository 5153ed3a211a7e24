// as scheduler/out/x.cpp: co_await as a condition
while (!done && !co_await is_cancelled()) step();
