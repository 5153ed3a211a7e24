// as scheduler/decide/x.cpp: does I/O
#include <boost/asio.hpp>
