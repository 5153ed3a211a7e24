// as scheduler/out/x.cpp: braced aggregate in a co_await
co_await send(Prepare{.epoch = epoch});
