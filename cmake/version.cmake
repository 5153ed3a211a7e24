# version.cpp is written at build time, and only when the commit has changed.
set(MYSOS_VERSION_SOURCE ${PROJECT_BINARY_DIR}/version.cpp)
add_custom_target(mysos_version_source
    COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DOUTPUT=${MYSOS_VERSION_SOURCE}
        -DVERSION=${PROJECT_VERSION} -P ${PROJECT_SOURCE_DIR}/cmake/write_version.cmake
    BYPRODUCTS ${MYSOS_VERSION_SOURCE})
add_library(mysos_version STATIC ${MYSOS_VERSION_SOURCE})
add_dependencies(mysos_version mysos_version_source)
target_link_libraries(mysos_version PRIVATE mysos_options)
