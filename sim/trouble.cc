#include "sim/trouble.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;

class Troublemaker {
 public:
  Troublemaker(SimCluster& cluster, const TroubleOptions& options)
      : cluster_(cluster), world_(cluster.world()), options_(options) {}

  void run(Duration duration) {
    const Duration end = world_.elapsed() + duration;
    while (world_.elapsed() < end && !cluster_.ended()) {
      const Duration pause = between(options_.pause_min, options_.pause_max);
      if (world_.run_until([this] { return cluster_.ended(); }, pause)) break;
      one_event();
    }
    world_.set_faults(false);
    for (const auto& node : world_.nodes()) {
      if (!world_.up(*node) && cluster_.has(*node)) world_.restart(*node);
    }
  }

 private:
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(
                       world_.rng().below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }
  SimNode& any_worker() { return cluster_.worker(world_.rng().below(cluster_.options().workers)); }
  SimNode& any_server() { return cluster_.server(world_.rng().below(cluster_.options().servers)); }
  void crash(SimNode& node) {
    if (!world_.up(node) || cluster_.ended()) return;
    const bool power = world_.rng().chance(0.5);
    world_.crash(node, power ? SimWorld::Crash::kPower : SimWorld::Crash::kProcess);
    world_.call_after(between(milliseconds(1), options_.down_max), [&cluster = cluster_, &node] {
      if (cluster.has(node) && !cluster.world().up(node)) cluster.world().restart(node);
    });
  }
  void cut_off(SimNode& a, SimNode& b) {
    world_.partition_one_way(a, b);
    if (world_.rng().chance(0.7)) world_.partition_one_way(b, a);
    world_.call_after(between(milliseconds(1), options_.down_max),
                      [&world = world_, &a, &b] { world.heal(a, b); });
  }
  void one_event() {
    switch (world_.rng().below(8)) {
      case 0:
      case 1:
        return options_.worker_crashes ? crash(any_worker()) : void();
      case 2:
        return options_.scheduler_crashes ? crash(cluster_.scheduler()) : void();
      case 3:
        return options_.pauses ? world_.pause(any_worker(), between(milliseconds(1), options_.down_max))
                               : void();
      case 4:
        return options_.pauses ? world_.pause(any_server(), between(milliseconds(1), options_.down_max))
                               : void();
      case 5:
        return options_.partitions ? cut_off(any_worker(), any_server()) : void();
      case 6:
        return options_.partitions ? cut_off(cluster_.scheduler(), any_worker()) : void();
      default:
        return options_.partitions ? cut_off(cluster_.scheduler(), any_server()) : void();
    }
  }

  SimCluster& cluster_;
  SimWorld& world_;
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
