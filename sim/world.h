// SimWorld: a whole cluster in one thread. One seed fixes every delay, loss, crash effect and task time in
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/options.h"
#include "sim/sim_loop.h"
#include "sim/sim_storage.h"
#include "sim/sim_tasks.h"
#include "sim/sim_transport.h"

namespace capstan {

class SimNode;

// What runs on a node: called at start() and at each restart(), it makes the node's objects on the node's
// seams. A crash destroys what it returned, after the node's seams have gone dead, so that a destructor
// cannot reach the world.
using Program = std::function<std::shared_ptr<void>(SimNode&)>;

// The references stay good for the world's life; what they do belongs to the node's present life.
class SimNode {
 public:
  const std::string& name() const { return name_; }
  NodeIndex index() const { return index_; }
  EventLoop& loop() { return loop_; }
  Transport& transport() { return transport_; }
  SimTasks& tasks() { return tasks_; }
  Storage& storage() { return storage_; }
  SimDisk& disk() { return storage_.disk(); }
  std::int64_t drift_ppm() const { return loop_.drift_ppm(); }

 private:
  friend class SimWorld;
  SimNode(EventQueue& queue, SimNetwork& network, std::shared_ptr<SimDisk> disk, const SimOptions& options,
          std::string name, NodeIndex index, std::uint64_t seed);

  std::string name_;
  NodeIndex index_;
  SimLoop loop_;
  SimTransport transport_;
  SimTasks tasks_;
  SimStorage storage_;
  Program program_;
  std::shared_ptr<void> process_;
};

class SimWorld {
 public:
  SimWorld(std::uint64_t seed, SimOptions options);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  SimNode& add_node(const std::string& name);
  // On a disk that all nodes which name it share.
  SimNode& add_node(const std::string& name, const std::string& shared_disk);
  void start(SimNode& node, Program program);

  // kill -9 leaves the machine and what the disk was given; a power cut takes what was not synced.
  enum class Crash { kProcess, kPower };
  void crash(SimNode& node, Crash kind);
  void restart(SimNode& node);  // REQUIRES: crashed. Runs its program again.
  bool up(const SimNode& node) const { return queue_.up(node.index()); }
  void pause(SimNode& node, Duration duration) {
    queue_.pause(node.index(), duration);
  }  // SIGSTOP .. SIGCONT
  void set_slowness(SimNode& node, std::uint32_t times) { node.tasks_.set_slowness(times); }
  bool paused(const SimNode& node) const { return queue_.paused(node.index()); }

  void partition(const SimNode& a, const SimNode& b);
  void partition_one_way(const SimNode& from, const SimNode& to);
  void heal();  // every partition
  void heal(const SimNode& a, const SimNode& b);

  // Off: messages are only delayed, disks work, partitions heal. For the phase in which everything must
  // finish.
  void set_faults(bool on);
  // Runs `action` after `delay`, whatever happens to nodes.
  void call_after(Duration delay, std::function<void()> action);

  void run_for(Duration duration);
  // True as soon as `predicate` holds (looked at after every event), false when `limit` passes first.
  bool run_until(const std::function<bool()>& predicate, Duration limit);

  Duration elapsed() const { return queue_.now().time_since_epoch(); }
  std::uint64_t events() const { return queue_.events_run(); }
  std::uint64_t trace_hash() const { return queue_.trace_hash(); }
  Rng& rng() { return rng_; }  // for the test's own choices: when to crash whom
  SimNetwork& network() { return network_; }
  const std::vector<std::unique_ptr<SimNode>>& nodes() const { return nodes_; }

 private:
  SimNode& add(const std::string& name, std::shared_ptr<SimDisk> disk);
  std::shared_ptr<SimDisk> make_disk(const std::string& name);
  bool step(Instant limit);

  std::uint64_t seed_;
  SimOptions options_;
  EventQueue queue_;
  SimNetwork network_;
  Rng rng_;
  std::map<std::string, std::shared_ptr<SimDisk>> shared_disks_;
  std::vector<std::shared_ptr<SimDisk>> disks_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::shared_ptr<void>> dying_;  // processes that crashed within one of their own events
};

}  // namespace capstan
