// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/block.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/simulated/fibre.hpp"
#include "kernels/simulated/memory.hpp"
#include "kernels/simulated/thread_index.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::simulated {
namespace {
constexpr unsigned warp_size = 32, max_threads = 1024, barriers = 16;
constexpr std::size_t max_shared = std::size_t(227) << 10;

std::atomic<std::uint64_t>& schedule_seed() {
  static std::atomic<std::uint64_t> seed = [] {
    const char* text = std::getenv("SOBOLEV_SCHEDULE");
    return text == nullptr ? std::uint64_t(0) : std::strtoull(text, nullptr, 10);
  }();
  return seed;
}

/// SplitMix64 (Steele, Lea & Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t n) { return std::size_t(next() % n); }
  template <class Range>
  void shuffle(Range&& range) {
    for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
  }

 private:
  std::uint64_t state_;
};

enum class State { ready, at_barrier, in_exchange, ended };

struct Thread {
  Fibre fibre;
  Index index;
  State state = State::ended;
  Place place;
  const char* operation = "";
  int barrier = 0;
  unsigned mask = 0, count = 0, answer = 0;
  std::uint64_t value = 0;
  void (*complete)(const std::uint64_t*) = nullptr;
  bool pending = false;
};

bool same(const char* a, const char* b) { return a == b || std::strcmp(a, b) == 0; }

std::string name(const Index& i) { return fmt::format("({}, {}, {})", i.x, i.y, i.z); }

std::size_t volume(const Index& i) { return std::size_t(i.x) * i.y * i.z; }

Index unflatten(std::size_t i, const Index& extent) {
  return {unsigned(i % extent.x), unsigned(i / extent.x % extent.y),
          unsigned(i / (std::size_t(extent.x) * extent.y))};
}

/// The shared memory of the blocks of one OS thread, before a page that faults.
class SharedMemory {
 public:
  SharedMemory() {
    void* p = mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<std::byte*>(p);
    mprotect(begin_ + size, page, PROT_NONE);
  }
  ~SharedMemory() { munmap(begin_, size + page); }
  SharedMemory(const SharedMemory&) = delete;
  std::byte* last(std::size_t bytes) { return begin_ + size - bytes; }

 private:
  static constexpr std::size_t page = 4096, size = (max_shared + page - 1) / page * page;
  std::byte* begin_;
};

/// A stack for the handler of faults, unless the OS thread has one: the fibre's own may have run over.
class SignalStack {
 public:
  SignalStack() {
    stack_t present{};
    sigaltstack(nullptr, &present);
    if ((present.ss_flags & SS_DISABLE) == 0) return;
    memory_.resize(std::size_t(64) << 10);
    stack_t own{};
    own.ss_sp = memory_.data();
    own.ss_size = memory_.size();
    sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    if (memory_.empty()) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack&) = delete;

 private:
  std::vector<std::byte> memory_;
};

/// Runs one block after another on the OS thread that owns it.
class Block {
 public:
  void run(const Grid& grid, std::size_t number);

  unsigned barrier(int id, unsigned count, bool value, const Place&);
  const std::uint64_t* exchange(const char* operation, unsigned mask, std::uint64_t value, const Place&,
                                void (*complete)(const std::uint64_t*));
  std::byte* shared() { return memory_.last(shared_size()); }
  std::uint64_t serial() const { return serial_; }
  unsigned lane() const { return unsigned(current_ % warp_size); }
  unsigned number() const { return unsigned(current_); }
  bool& pending() { return threads_[current_]->pending; }
  std::string describe() const;
  bool running() const { return grid_ != nullptr; }

 private:
  std::size_t shared_size() const { return (grid_->shared_bytes + 15) / 16 * 16; }
  std::size_t warps() const { return (count_ + warp_size - 1) / warp_size; }
  std::size_t warp_end(std::size_t w) const { return std::min(count_, (w + 1) * warp_size); }
  bool runnable(std::size_t warp) const;
  std::size_t choose_warp(Random&) const;
  void run_warp(std::size_t warp, Random&);
  void release_exchanges(std::size_t warp);
  bool release_barriers();
  void wait(State state, const Place& place);
  void refuse_pending(std::string_view what) const;
  [[noreturn]] void fail_divergence() const;

  const Grid* grid_ = nullptr;
  Index block_;
  std::size_t count_ = 0, current_ = 0;
  std::uint64_t serial_ = 0, seed_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::array<std::uint64_t, warp_size>> exchanged_;
  SharedMemory memory_;
  SignalStack signal_stack_;
};

thread_local std::unique_ptr<Block> this_block;

bool Block::runnable(std::size_t warp) const {
  for (std::size_t i = warp * warp_size; i < warp_end(warp); ++i)
    if (threads_[i]->state == State::ready) return true;
  return false;
}

/// The next warp by the schedule; warps() when none can run.
std::size_t Block::choose_warp(Random& random) const {
  const std::size_t n = warps();
  if (seed_ == 0) {
    for (std::size_t w = 0; w < n; ++w)
      if (runnable(w)) return w;
  } else if (seed_ == 1) {
    for (std::size_t w = n; w-- > 0;)
      if (runnable(w)) return w;
  } else {
    const std::size_t start = random.below(n);
    for (std::size_t w = 0; w < n; ++w)
      if (runnable((start + w) % n)) return (start + w) % n;
  }
  return n;
}

void Block::run_warp(std::size_t warp, Random& random) {
  std::array<std::size_t, warp_size> ready;
  std::size_t count = 0;
  for (std::size_t i = warp * warp_size; i < warp_end(warp); ++i)
    if (threads_[i]->state == State::ready) ready[count++] = i;
  const std::span<std::size_t> lanes(ready.data(), count);
  if (seed_ == 1) std::reverse(lanes.begin(), lanes.end());
  if (seed_ > 1) random.shuffle(lanes);
  for (std::size_t i : lanes) {
    Thread& t = *threads_[i];
    current_ = i;
    threadIdx = {t.index.x, t.index.y, t.index.z};
    t.fibre.resume();
    if (t.fibre.finished()) {
      t.state = State::ended;
      if (t.fibre.error()) std::rethrow_exception(t.fibre.error());
      refuse_pending("has ended");
    }
  }
  release_exchanges(warp);
}

/// Lets every group of lanes go on that has gathered at one place with one mask.
void Block::release_exchanges(std::size_t warp) {
  const std::size_t first = warp * warp_size;
  for (std::size_t i = first; i < warp_end(warp); ++i) {
    const Thread& leader = *threads_[i];
    if (leader.state != State::in_exchange) continue;
    bool complete = true;
    for (std::size_t lane = 0; lane < warp_size; ++lane) {
      if ((leader.mask >> lane & 1u) == 0) continue;
      const std::size_t j = first + lane;
      if (j >= count_ || threads_[j]->state == State::ended)
        thread::fail(fmt::format("{} at {}:{} with mask {:#010x}, but thread {} of the warp {}",
                                 leader.operation, leader.place.file, leader.place.line, leader.mask, lane,
                                 j < count_ ? "has ended" : "does not exist"));
      const Thread& other = *threads_[j];
      complete = complete && other.state == State::in_exchange && other.mask == leader.mask &&
                 same(other.operation, leader.operation) && other.place.line == leader.place.line &&
                 same(other.place.file, leader.place.file);
    }
    if (!complete) continue;
    const unsigned mask = leader.mask;
    for (std::size_t lane = 0; lane < warp_size; ++lane)
      if ((mask >> lane & 1u) != 0) {
        exchanged_[warp][lane] = threads_[first + lane]->value;
        threads_[first + lane]->state = State::ready;
      }
    if (leader.complete != nullptr) leader.complete(exchanged_[warp].data());
  }
}

bool Block::release_barriers() {
  bool released = false;
  unsigned present = 0;
  for (std::size_t i = 0; i < count_; ++i)
    if (threads_[i]->state == State::at_barrier) present |= 1u << threads_[i]->barrier;
  for (unsigned id = 0; id < barriers; ++id) {
    if ((present >> id & 1u) == 0) continue;
    std::size_t arrived = 0, wanted = 0;
    unsigned answer = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const Thread& t = *threads_[i];
      if (t.state != State::at_barrier || t.barrier != int(id)) continue;
      const std::size_t want = t.count == 0 ? count_ : t.count;
      if (arrived > 0 && want != wanted) fail_divergence();
      wanted = want;
      ++arrived;
      answer += t.value != 0;
    }
    if (arrived != wanted) continue;
    const Place* place = nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
      Thread& t = *threads_[i];
      if (t.state != State::at_barrier || t.barrier != int(id)) continue;
      // Named barriers pair producers and consumers, which stand at different places; __syncthreads does not.
      if (id == 0 && place != nullptr && t.place.line != place->line) fail_divergence();
      place = &t.place;
    }
    for (std::size_t i = 0; i < count_; ++i) {
      Thread& t = *threads_[i];
      if (t.state != State::at_barrier || t.barrier != int(id)) continue;
      t.state = State::ready;
      t.answer = answer;
    }
    released = true;
  }
  return released;
}

void Block::fail_divergence() const {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;
  for (std::size_t i = 0; i < count_; ++i) {
    const Thread& t = *threads_[i];
    const std::string what = t.state == State::ended ? "ended"
                                                     : fmt::format("wait{} at {} in {}:{}",
                                                                   t.state == State::ready ? " to run" : "",
                                                                   t.operation, t.place.file, t.place.line);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == what; });
    if (group == groups.end()) group = groups.insert(groups.end(), {what, {}});
    group->second.push_back(i);
  }
  std::string text;
  for (const auto& [what, members] : groups)
    text += fmt::format("; {} thread{} {} (the first is {})", members.size(), members.size() == 1 ? "" : "s",
                        what, name(threads_[members.front()]->index));
  throw DeviceError(fmt::format("kernel {}, block {}: the threads have parted ways and none can go on{}",
                                grid_->kernel, name(block_), text));
}

void Block::run(const Grid& grid, std::size_t number) {
  grid_ = &grid;
  block_ = unflatten(number, grid.blocks);
  count_ = volume(grid.threads);
  seed_ = schedule();
  ++serial_;
  while (threads_.size() < count_) threads_.push_back(std::make_unique<Thread>());
  exchanged_.resize(warps());
  std::memset(shared(), 0xff, shared_size());
  blockIdx = {block_.x, block_.y, block_.z};
  blockDim = {grid.threads.x, grid.threads.y, grid.threads.z};
  gridDim = {grid.blocks.x, grid.blocks.y, grid.blocks.z};
  for (std::size_t i = 0; i < count_; ++i) {
    Thread& t = *threads_[i];
    t.index = unflatten(i, grid.threads);
    t.state = State::ready;
    t.operation = "its start";
    t.pending = false;
    t.fibre.start(grid.body);
  }
  Random random(seed_ * 0x2545f4914f6cdd1du + number);
  try {
    for (;;) {
      const std::size_t warp = choose_warp(random);
      if (warp < warps())
        run_warp(warp, random);
      else if (!release_barriers())
        break;
    }
    for (std::size_t i = 0; i < count_; ++i)
      if (threads_[i]->state != State::ended) fail_divergence();
  } catch (...) {
    for (std::size_t i = 0; i < count_; ++i) {
      current_ = i;
      threads_[i]->fibre.abandon();
    }
    grid_ = nullptr;
    throw;
  }
  grid_ = nullptr;
}

void Block::wait(State state, const Place& place) {
  Thread& t = *threads_[current_];
  if (t.pending) refuse_pending(fmt::format("meets others by {}", t.operation));
  t.state = state;
  t.place = place;
  t.fibre.suspend();
}

void Block::refuse_pending(std::string_view what) const {
  if (threads_[current_]->pending)
    thread::fail(fmt::format("it {} after matrix instructions without mma_commit()", what));
}

unsigned Block::barrier(int id, unsigned count, bool value, const Place& place) {
  if (id < 0 || id >= int(barriers) || count > max_threads || count % warp_size != 0)
    thread::fail(
        fmt::format("barrier {} of {} threads at {}:{}; there are {} barriers, for multiples of {} threads",
                    id, count, place.file, place.line, barriers, warp_size));
  Thread& t = *threads_[current_];
  t.barrier = id;
  t.count = count;
  t.value = value;
  t.operation = id == 0 ? "__syncthreads" : "a named barrier";
  wait(State::at_barrier, place);
  return t.answer;
}

const std::uint64_t* Block::exchange(const char* operation, unsigned mask, std::uint64_t value,
                                     const Place& place, void (*complete)(const std::uint64_t*)) {
  if ((mask >> lane() & 1u) == 0)
    thread::fail(fmt::format("{} at {}:{} with mask {:#010x}, in which the thread itself is missing",
                             operation, place.file, place.line, mask));
  Thread& t = *threads_[current_];
  t.operation = operation;
  t.mask = mask;
  t.value = value;
  t.complete = complete;
  wait(State::in_exchange, place);
  return exchanged_[current_ / warp_size].data();
}

std::string Block::describe() const {
  return fmt::format("kernel {}, block {}, thread {}", grid_->kernel, name(block_),
                     name(unflatten(current_, grid_->threads)));
}

void check(const Grid& grid) {
  const auto refuse = [&](const std::string& why) {
    throw DeviceError(fmt::format("kernel {}: grid {}, block {}: {}", grid.kernel, name(grid.blocks),
                                  name(grid.threads), why));
  };
  if (volume(grid.threads) == 0 || volume(grid.threads) > max_threads || grid.threads.z > 64)
    refuse(fmt::format("a block has between 1 and {} threads, at most 64 in z", max_threads));
  if (volume(grid.blocks) == 0 || grid.blocks.x > 2147483647u || grid.blocks.y > 65535u ||
      grid.blocks.z > 65535u)
    refuse("a grid has between 1 and (2147483647, 65535, 65535) blocks");
  if (grid.shared_bytes > max_shared)
    refuse(fmt::format("{} bytes of dynamic shared memory; there are {}", grid.shared_bytes, max_shared));
}
}  // namespace

void set_schedule(std::uint64_t seed) { schedule_seed() = seed; }
std::uint64_t schedule() { return schedule_seed(); }

void run_grid(const Grid& grid) {
  check(grid);
  watch_faults();
  const std::size_t n = volume(grid.blocks);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t(0));
  if (schedule() == 1) std::reverse(order.begin(), order.end());
  if (schedule() > 1) Random(schedule()).shuffle(order);
  std::mutex mutex;
  std::size_t failed = n;
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic, 1) if (n > 1)
  for (std::size_t i = 0; i < n; ++i) {
    try {
      if (!this_block) this_block = std::make_unique<Block>();
      this_block->run(grid, order[i]);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (order[i] < failed) {
        failed = order[i];
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

namespace thread {
unsigned barrier(int id, unsigned count, bool value, const Place& place) {
  return this_block->barrier(id, count, value, place);
}
const std::uint64_t* exchange(const char* operation, unsigned mask, std::uint64_t value, const Place& place,
                              void (*complete)(const std::uint64_t*)) {
  return this_block->exchange(operation, mask, value, place, complete);
}
unsigned lane() { return this_block->lane(); }
unsigned number() { return this_block->number(); }
bool& pending() { return this_block->pending(); }
std::byte* dynamic_shared() { return this_block->shared(); }
std::uint64_t block_serial() { return this_block->serial(); }
std::string describe() {
  return this_block && this_block->running() ? this_block->describe() : std::string();
}
void fail(const std::string& message) { throw DeviceError(describe() + ": " + message); }
}  // namespace thread

}  // namespace sobolev::simulated
