#!/bin/bash
# The sources in somebody's tree, with the one command of the README and no build system:
# test_vendored.sh SOURCE
. "$(dirname "$0")/support.sh"
source=$1
cc=${CC:-cc}
need "$cc"

mkdir "$work/tree"
cp -r "$source/include" "$source/lib" "$work/tree"
cp "$source/tests/install/app.c" "$work/tree"
cd "$work/tree"

say "cc -Iinclude -Ilib app.c lib/*/*.c -lcurl -ljansson -lssl -lcrypto"
"$cc" -Iinclude -Ilib app.c lib/*/*.c -lcurl -ljansson -lssl -lcrypto -o app 2>"$work/log" || { cat "$work/log"; fail "$cc"; }
[ ! -s "$work/log" ] || { cat "$work/log"; fail "it warns"; }
says "https://cases.example/api/cases" ./app cases.example
says "https://xn--bcher-kva.example/api/cases" ./app xn--bcher-kva.example

say "without libidn2 a host with other letters is refused, with the remedy"
refuses "xn--" ./app bücher.example
refuses "createIncidentUrl" ./app bücher.example

say "where there is no SSE2"
"$cc" -U__SSE2__ -std=c11 -Wall -Wextra -Wpedantic -Wtype-limits -Werror -fsyntax-only -Iinclude -Ilib lib/*/*.c || fail "without SSE2"

for standard in c11 c17 gnu11; do
    say "-std=$standard, nothing defined"
    "$cc" -std=$standard -Wall -Wextra -Wpedantic -Wtype-limits -Werror -fsyntax-only -Iinclude -Ilib lib/*/*.c || fail "-std=$standard"
done

say "inside a shared object, hidden"
libs='-lcurl -ljansson -lssl -lcrypto'
# shellcheck disable=SC2086
"$cc" -fPIC -shared -fvisibility=hidden -DCASEHOOK_API= -Iinclude -Ilib lib/*/*.c $libs -o hidden.so || fail "a shared object"
shown=$(nm -D --defined-only hidden.so)
[ -z "$shown" ] || { echo "$shown"; fail "it shows its copy of the library"; }

if ! command -v cmake >/dev/null; then
    echo "SKIP CMake: it is not installed"
    exit 0
fi
say "CMake, strictly C11"
cat >CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.16)
project(host C)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
find_package(Threads REQUIRED)
file(GLOB sources lib/*/*.c)
add_executable(host app.c ${sources})
target_include_directories(host PRIVATE include lib)
target_link_libraries(host curl jansson ssl crypto Threads::Threads)
C
CC=$cc cmake -G Ninja -S . -B cmake >"$work/log" 2>&1 && cmake --build cmake >>"$work/log" 2>&1 || { cat "$work/log"; fail "CMake"; }
if grep -q 'warning:' "$work/log"; then cat "$work/log" && fail "warnings"; fi
says "https://cases.example/api/cases" cmake/host cases.example
