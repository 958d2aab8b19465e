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
      if (world_.run_until([this] { return ended(); }, pause)) break;
      one_event();
    }
    world_.set_faults(false);
    for (const auto& node : world_.nodes()) {
      if (!world_.up(*node) && cluster_.has(*node)) world_.restart(*node);
    }
  }

 private:
  // Looks at the owners now and then.
  bool ended() {
    constexpr std::uint64_t kEventsBetween = 50;
    if (++looked_ % kEventsBetween == 0) {
      if (const std::string two = cluster_.check_owners(); !two.empty()) cluster_.findings().report(two);
    }
    return cluster_.ended();
  }
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
  // One fault at a time is what two replicas bear: a crash and the silence of another server must not fall
  // into one lease, or the scheduler takes the dead one for the one that lives.
  Duration two_leases() const { return milliseconds(2 * cluster_.options().lease_ms); }
  void crash_server(SimNode& node) {
    if (!world_.up(node) || world_.elapsed() < silent_until_ + two_leases() || !cluster_.can_lose(node))
      return;
    crash(node);
    crashed_ = world_.elapsed();
  }
  bool may_be_silent() const {
    return !options_.server_crashes || world_.elapsed() > crashed_ + two_leases();
  }
  void pause_server(SimNode& node) {
    if (!may_be_silent()) return;
    const Duration duration = between(milliseconds(1), options_.down_max);
    world_.pause(node, duration);
    silent_until_ = std::max(silent_until_, world_.elapsed() + duration);
  }
  void cut_off_server(SimNode& node) {
    if (!may_be_silent()) return;
    cut_off(cluster_.scheduler(), node);
    silent_until_ = std::max(silent_until_, world_.elapsed() + options_.down_max);
  }
  void cut_off(SimNode& a, SimNode& b) {
    if (&a == &b) return;
    world_.partition_one_way(a, b);
    if (world_.rng().chance(0.7)) world_.partition_one_way(b, a);
    world_.call_after(between(milliseconds(1), options_.down_max),
                      [&world = world_, &a, &b] { world.heal(a, b); });
  }
  void one_event() {
    switch (world_.rng().below(options_.server_crashes ? 11 : 8)) {
      case 0:
      case 1:
        return options_.worker_crashes ? crash(any_worker()) : void();
      case 2:
        return options_.scheduler_crashes ? crash(cluster_.scheduler()) : void();
      case 3:
        return options_.pauses ? world_.pause(any_worker(), between(milliseconds(1), options_.down_max))
                               : void();
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
  TroubleOptions options_;
  Duration silent_until_{0};                     // a server that is stopped or cut off
  Duration crashed_ = -milliseconds(1'000'000);  // a server, the last time
  std::uint64_t looked_ = 0;
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
