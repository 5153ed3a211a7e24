#pragma once

#include <zookeeper/zookeeper.h>

/// What the library calls with its answer, one function a shape. `context` is what perform() gave
/// it; an answer that nobody waits for any more is dropped.
namespace mysos::zookeeper::answers {

void nothing(int code, const void* context);
void path(int code, const char* value, const void* context);
void stat(int code, const ::Stat* stat, const void* context);
void node(int code, const char* data, int size, const ::Stat* stat, const void* context);
void names(int code, const String_vector* names, const void* context);

}  // namespace mysos::zookeeper::answers
