// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the simulated device runs a grid: blocks over OS threads, the threads of a block as fibres of one of
// them. A fibre runs until it meets a collective (barrier, shuffle, vote); which one runs next is chosen by
// the schedule, so that code that only works in one order fails in another.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sobolev::simulated {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

/// Where a collective stands in the source; the default argument here() is the place of the caller. (As
/// std::source_location, which clang has only since version 16.)
struct Place {
  const char* file = "";
  unsigned line = 0;
  static constexpr Place here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

/// 0: warps one after another, each as far as the next block barrier, lanes in order. 1: the same from the
/// last warp and lane to the first. Any other: warps, lanes and blocks in a random order of this seed, drawn
/// anew after every collective. The first value is that of the environment variable SOBOLEV_SCHEDULE, or 0.
void set_schedule(std::uint64_t seed);
std::uint64_t schedule();

struct Grid {
  std::string kernel;  // its name, for messages
  Index blocks, threads;
  std::size_t shared_bytes = 0;
  std::function<void()> body;  // what each thread runs
};

/// Runs all blocks. Throws DeviceError, with kernel, block, thread and place, when threads meet different
/// collectives, wait for one that has ended, or throw.
void run_grid(const Grid&);

/// Of the thread that runs: what the dialect's functions are made of.
namespace thread {
/// Waits for `count` threads of the block (0: all) at barrier `id`, 0 … 15. Returns the number of them that
/// brought a value other than 0.
unsigned barrier(int id, unsigned count, bool value, const Place&);
/// Waits for the lanes of `mask` at the same place, all with the same `operation`, and returns the 32 values
/// that they brought (those of other lanes are not to be looked at). Before any of them goes on, complete(the
/// values) is called once.
const std::uint64_t* exchange(const char* operation, unsigned mask, std::uint64_t value, const Place&,
                              void (*complete)(const std::uint64_t*) = nullptr);
unsigned lane();
/// In its block, 0 … 1023.
unsigned number();
/// Whether it has asked for matrix instructions and not committed them, with which it may neither meet others
/// nor end.
bool& pending();
/// The block's dynamic shared memory: ends at a page that nothing may touch, starts at a multiple of 16,
/// filled with 0xff before each block.
std::byte* dynamic_shared();
/// A number that is different for each block that this OS thread runs.
std::uint64_t block_serial();
/// "kernel, block (x, y, z), thread (x, y, z)", or "" outside kernels.
std::string describe();
/// Throws DeviceError(describe() + message).
[[noreturn]] void fail(const std::string& message);
}  // namespace thread

}  // namespace sobolev::simulated
