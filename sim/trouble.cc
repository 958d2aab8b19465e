#include "sim/trouble.h"

#include "sim/striker.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;

class Troublemaker {
 public:
  Troublemaker(SimCluster& cluster, const TroubleOptions& options)
      : cluster_(cluster), world_(cluster.world()), striker_(cluster), options_(options) {}

  void run(Duration duration) {
    const Duration end = world_.elapsed() + duration;
    while (world_.elapsed() < end && !cluster_.ended()) {
      if (striker_.wait(between(options_.pause_min, options_.pause_max))) break;
      one_event();
    }
    striker_.end();
  }

 private:
  Duration between(Duration least, Duration most) { return draw_duration(world_.rng(), least, most); }
  Duration a_while() { return between(milliseconds(1), options_.down_max); }
  SimNode& any_worker() { return cluster_.worker(world_.rng().below(cluster_.options().workers)); }
  SimNode& any_server() { return cluster_.server(world_.rng().below(cluster_.options().servers)); }
  // What does not happen draws nothing: a seed's later faults depend on the draws before them.
  void crash(SimNode& node) {
    if (!world_.up(node) || cluster_.ended()) return;
    const bool power = world_.rng().chance(0.5);
    striker_.crash(node, power, a_while());
  }
  void crash_server(SimNode& node) {
    if (!striker_.may_crash_server(node) || cluster_.ended()) return;
    const bool power = world_.rng().chance(0.5);
    striker_.crash_server(node, power, a_while());
  }
  void pause_server(SimNode& node) {
    if (!striker_.may_be_silent()) return;
    const Duration duration = a_while();
    world_.pause(node, duration);
    striker_.silent_for(duration);
  }
  void cut_off_server(SimNode& node) {
    if (!striker_.may_be_silent()) return;
    cut_off(cluster_.scheduler(), node);
    striker_.silent_for(options_.down_max);
  }
  void cut_off(SimNode& a, SimNode& b) {
    if (&a == &b) return;
    const bool both_ways = world_.rng().chance(0.7);
    striker_.cut(a, b, both_ways, a_while());
  }
  void one_event() {
    switch (world_.rng().below(options_.server_crashes ? 11 : 8)) {
      case 0:
      case 1:
        return options_.worker_crashes ? crash(any_worker()) : void();
      case 2:
        return options_.scheduler_crashes ? crash(cluster_.scheduler()) : void();
      case 3:
        return options_.pauses ? world_.pause(any_worker(), a_while()) : void();
      case 4:
        return options_.pauses ? pause_server(any_server()) : void();
      case 5:
        return options_.partitions ? cut_off(any_worker(), any_server()) : void();
      case 6:
        return options_.partitions ? cut_off(cluster_.scheduler(), any_worker()) : void();
      case 7:
        return options_.partitions ? cut_off_server(any_server()) : void();
      case 8:
      case 9:
        return crash_server(any_server());
      default:
        return options_.partitions ? cut_off(any_server(), any_server()) : void();
    }
  }

  SimCluster& cluster_;
  SimWorld& world_;
  Striker striker_;
  TroubleOptions options_;
};

}  // namespace

NetworkOptions unkind_network() {
  NetworkOptions network;
  network.slow = 0.02;
  network.loss = 0.01;
  network.duplicate = 0.02;
  network.reorder = 0.05;
  network.busy = 0.01;
  network.disconnect = 0.002;
  return network;
}

void make_trouble(SimCluster& cluster, const TroubleOptions& options, Duration duration) {
  Troublemaker(cluster, options).run(duration);
}

}  // namespace capstan
