// as executor/in/x.cpp: loses exceptions
asio::co_spawn(io, run(), asio::detached);
