// as common/cluster/x.cpp: depends on a hash
std::unordered_map<int, int> members;
