# SPDX-License-Identifier: Apache-2.0
#
# Every foreign library, as one imported target each. Which folder may use which is a house rule.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(PkgConfig REQUIRED)

function(countersign_pkg target module)
  pkg_check_modules(${target}_pkg REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(${target} INTERFACE)
  target_link_libraries(${target} INTERFACE PkgConfig::${target}_pkg)
endfunction()
countersign_pkg(idn2 libidn2)
countersign_pkg(lmdb lmdb)
countersign_pkg(systemd libsystemd)
countersign_pkg(psl libpsl)
countersign_pkg(pugixml pugixml)
countersign_pkg(archive libarchive)
countersign_pkg(sqlite sqlite3)
countersign_pkg(pq libpq)
countersign_pkg(curl libcurl)
countersign_pkg(prometheus prometheus-cpp-core)   # not -pull, which brings its own HTTP server

# Its pkg-config file asks for libevent's, which only a static link needs.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
add_library(unbound INTERFACE)
target_link_libraries(unbound INTERFACE ${UNBOUND_LIBRARY})

# Its pkg-config file asks for a flag that would be in force for all that is compiled beside it.
find_library(RE2_LIBRARY re2 REQUIRED)
add_library(re2 INTERFACE)
target_link_libraries(re2 INTERFACE ${RE2_LIBRARY})

add_library(tomlplusplus INTERFACE)   # header only; warnings inside it are not ours

# Asio is compiled once (service/run/asio.cpp), not in each file that includes it.
add_library(asio INTERFACE)
target_compile_definitions(asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_ASIO_DISABLE_BOOST_DATE_TIME BOOST_ASIO_DISABLE_BOOST_REGEX)
target_link_libraries(asio INTERFACE Boost::headers Threads::Threads)
