#include "sim/world.h"

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {
namespace {

// Each source of chance has a stream of its own: what one draws does not shift what another does.
enum Stream : std::uint64_t { kNetwork = 1, kTest, kLoop, kTasks, kDisk };

}  // namespace

SimNode::SimNode(EventQueue& queue, SimNetwork& network, std::shared_ptr<SimDisk> disk,
                 const SimOptions& options, std::string name, NodeIndex index, std::uint64_t seed)
    : name_(std::move(name)),
      index_(index),
      loop_(queue, index, options, Rng(combine(seed, kLoop))),
      transport_(queue, network, index),
      tasks_(queue, index, options.tasks, Rng(combine(seed, kTasks))),
      storage_(queue, std::move(disk), index) {}

SimWorld::SimWorld(std::uint64_t seed, SimOptions options)
    : seed_(seed),
      options_(options),
      network_(queue_, options_.network, Rng(combine(seed, kNetwork))),
      rng_(combine(seed, kTest)) {}

SimWorld::~SimWorld() {
  for (auto& node : nodes_) {
    if (up(*node)) crash(*node, Crash::kProcess);
  }
}

std::shared_ptr<SimDisk> SimWorld::make_disk(const std::string& name) {
  const Rng rng(combine(seed_, kDisk, hash_string(name)));
  return disks_.emplace_back(std::make_shared<SimDisk>(options_.disk, rng));
}

SimNode& SimWorld::add(const std::string& name, std::shared_ptr<SimDisk> disk) {
  const NodeIndex index = queue_.add_node();
  const std::uint64_t seed = combine(seed_, index, hash_string(name));
  nodes_.emplace_back(new SimNode(queue_, network_, std::move(disk), options_, name, index, seed));
  return *nodes_.back();
}

SimNode& SimWorld::add_node(const std::string& name) {
  return add(name, make_disk(name));
}

SimNode& SimWorld::add_node(const std::string& name, const std::string& shared_disk) {
  auto& disk = shared_disks_[shared_disk];
  if (!disk) disk = make_disk("shared " + shared_disk);
  return add(name, disk);
}

void SimWorld::start(SimNode& node, Program program) {
  node.program_ = std::move(program);
  node.process_ = node.program_(node);
}

void SimWorld::crash(SimNode& node, Crash kind) {
  CAPSTAN_ASSERT(up(node), "only a node that runs can crash");
  queue_.end_life(node.index());
  network_.crashed(node.index());
  if (kind == Crash::kPower) node.disk().crash(node.index());
  auto process = std::exchange(node.process_, nullptr);
  if (queue_.running() == node.index()) dying_.push_back(std::move(process));
}

void SimWorld::restart(SimNode& node) {
  CAPSTAN_ASSERT(!up(node), "only a crashed node restarts");
  queue_.begin_life(node.index());
  node.tasks_.reset();
  if (node.program_) node.process_ = node.program_(node);
}

void SimWorld::partition_one_way(const SimNode& from, const SimNode& to) {
  network_.block(from.index(), to.index());
}

void SimWorld::partition(const SimNode& a, const SimNode& b) {
  partition_one_way(a, b);
  partition_one_way(b, a);
}

void SimWorld::heal() {
  network_.allow_all();
}

void SimWorld::heal(const SimNode& a, const SimNode& b) {
  network_.allow(a.index(), b.index());
  network_.allow(b.index(), a.index());
}

void SimWorld::set_faults(bool on) {
  network_.set_faults(on);
  for (auto& disk : disks_) disk->set_faults(on);
  if (!on) heal();
}

void SimWorld::call_after(Duration delay, std::function<void()> action) {
  queue_.schedule_after(delay, kWorld, std::move(action));
}

bool SimWorld::step(Instant limit) {
  const bool ran = queue_.run_next(limit);
  dying_.clear();
  return ran;
}

void SimWorld::run_for(Duration duration) {
  const Instant end = queue_.now() + duration;
  while (step(end)) {
  }
}

bool SimWorld::run_until(const std::function<bool()>& predicate, Duration limit) {
  const Instant end = queue_.now() + limit;
  while (true) {
    if (predicate()) return true;
    if (!step(end)) return predicate();
  }
}

}  // namespace capstan
