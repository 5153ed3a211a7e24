// as scheduler/out/x.cpp: capturing lambda in a co_await
co_await offload(pool, [this] { return probe(); });
