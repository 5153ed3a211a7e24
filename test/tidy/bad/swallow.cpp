// as executor/in/x.cpp: catch (...)
try { run(); } catch (...) { }
