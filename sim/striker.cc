#include "sim/striker.h"

#include <algorithm>

namespace capstan {

Duration draw_duration(Rng& rng, Duration least, Duration most) {
  return least + Duration(static_cast<std::int64_t>(
                     rng.below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

Striker::Striker(SimCluster& cluster)
    : cluster_(cluster), world_(cluster.world()), crashed_(-std::chrono::seconds(1000)) {}

void Striker::end() {
  world_.set_faults(false);
  cluster_.store().set_faults(false);
  for (const auto& node : world_.nodes()) {
    if (cluster_.has(*node) && !world_.up(*node)) world_.restart(*node);
  }
}

bool Striker::crash(SimNode& node, bool power, Duration lasts) {
  if (!cluster_.has(node) || !world_.up(node)) return false;
  world_.crash(node, power ? SimWorld::Crash::kPower : SimWorld::Crash::kProcess);
  world_.call_after(lasts, [&cluster = cluster_, &node] {
    if (cluster.has(node) && !cluster.world().up(node)) cluster.world().restart(node);
  });
  return true;
}

bool Striker::cut(SimNode& a, SimNode& b, bool both_ways, Duration lasts) {
  if (&a == &b) return false;
  world_.partition_one_way(a, b);
  if (both_ways) world_.partition_one_way(b, a);
  world_.call_after(lasts, [&world = world_, &a, &b] { world.heal(a, b); });
  return true;
}

bool Striker::may_crash_server(const SimNode& server) const {
  return cluster_.has(server) && world_.up(server) && world_.elapsed() >= silent_until_ + two_leases() &&
         cluster_.can_lose(server);
}

bool Striker::may_be_silent() const {
  const auto grace = std::chrono::milliseconds(cluster_.options().rare.scheduler_grace_ms);
  const Duration now = world_.elapsed();
  const bool goes_on = now < silent_until_ + two_leases();
  return now > crashed_ + two_leases() && !(goes_on && now - silent_since_ > grace / 4);
}

bool Striker::crash_server(SimNode& server, bool power, Duration lasts) {
  if (!may_crash_server(server) || !crash(server, power, lasts)) return false;
  crashed_ = world_.elapsed();
  return true;
}

void Striker::silent_for(Duration duration) {
  if (world_.elapsed() >= silent_until_ + two_leases()) silent_since_ = world_.elapsed();
  silent_until_ = std::max(silent_until_, world_.elapsed() + duration);
}

}  // namespace capstan
