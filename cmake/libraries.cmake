# Debian's libraries, their static archives where a program is to be one file. A sanitizer build
# links the same archives.
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)

# mysos_archive(<target> <file>...): an interface target of static archives, found or fatal.
function(mysos_archive target)
    add_library(${target} INTERFACE)
    foreach(file IN LISTS ARGN)
        find_library(MYSOS_ARCHIVE_${file} ${file} REQUIRED)
        target_link_libraries(${target} INTERFACE ${MYSOS_ARCHIVE_${file}})
    endforeach()
endfunction()

mysos_archive(mysos_protobuf libprotobuf.a libz.a)
target_link_libraries(mysos_protobuf INTERFACE Threads::Threads)
mysos_archive(mysos_zookeeper libzookeeper_st.a libssl.a libcrypto.a)
target_link_libraries(mysos_zookeeper INTERFACE ${CMAKE_DL_LIBS})
mysos_archive(mysos_tls libssl.a libcrypto.a)
target_link_libraries(mysos_tls INTERFACE ${CMAKE_DL_LIBS} Threads::Threads)
mysos_archive(mysos_sodium libsodium.a)
mysos_archive(mysos_url libboost_url.a)
mysos_archive(mysos_mariadb libmariadbclient.a libssl.a libcrypto.a libz.a)
target_link_libraries(mysos_mariadb INTERFACE ${CMAKE_DL_LIBS} m)

add_library(mysos_spdlog INTERFACE)
target_compile_definitions(mysos_spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)

# Asio and Beast are compiled once, in common/io/{asio,beast}.cpp.
add_library(mysos_asio INTERFACE)
target_compile_definitions(mysos_asio INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(mysos_asio INTERFACE Boost::headers Threads::Threads mysos_tls)
