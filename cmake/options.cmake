# mysos_build: how everything is compiled, generated code too. mysos_options: what ours gets on top.
add_library(mysos_build INTERFACE)
target_compile_options(mysos_build INTERFACE -fpch-preprocess)
if(MYSOS_SANITIZE)
    target_compile_options(mysos_build INTERFACE -fsanitize=${MYSOS_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(mysos_build INTERFACE -fsanitize=${MYSOS_SANITIZE})
else()
    target_link_options(mysos_build INTERFACE -static-libgcc -static-libstdc++)
endif()
if(MYSOS_SANITIZE STREQUAL "thread")
    # g++ 12 cannot instrument fences and says so with -Wtsan; asio can do without them.
    target_compile_definitions(mysos_build INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(MYSOS_COVERAGE)
    target_compile_options(mysos_build INTERFACE --coverage -fprofile-abs-path)
    target_link_options(mysos_build INTERFACE --coverage)
endif()
target_link_options(mysos_build INTERFACE LINKER:--as-needed)

add_library(mysos_options INTERFACE)
target_link_libraries(mysos_options INTERFACE mysos_build)
target_include_directories(mysos_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(mysos_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef
    -Wconversion -Wsign-conversion -Wduplicated-cond -Wduplicated-branches -Wlogical-op
    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast;-Woverloaded-virtual;-Wuseless-cast;-Wextra-semi>
    $<$<BOOL:${MYSOS_WARNINGS_AS_ERRORS}>:-Werror>)
