// SimStore: the store that all schedulers of a world have in common, and how each of its nodes reaches it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/key_store.h"
#include "common/rng.h"
#include "sim/world.h"

namespace capstan {

struct StoreOptions {  // chances are per call and hold only while faults are on
  double request_lost = 0.03;
  double answer_lost = 0.03;
  double late = 0.03;  // taken after its caller has given up on it
  Duration late_max = std::chrono::seconds(3);
  Duration call_max = std::chrono::milliseconds(60);  // that a caller stands still; a lost one, a limit
  Duration limit = std::chrono::milliseconds(250);
};

// Leases end by the world's clock.
class SimStore {
 public:
  SimStore(SimWorld& world, std::uint64_t seed, StoreOptions options = {});

  void set_faults(bool on) { faults_ = on; }
  // Nobody reaches it; leases run on, or begin anew when it is back, as after a restart of etcd.
  void go_away(Duration duration, bool leases_begin_anew);
  // All leases end now: its clock was wrong, or an operator's hand.
  void drop_leases();
  // Of what was put under keys that begin so.
  std::string values(const std::string& prefix) const;

 private:
  friend class SimStoreLink;
  struct Lease {
    Duration ttl{0};
    Duration until{0};
  };

  bool chance(double probability) { return faults_ && rng_.chance(probability); }
  bool away() const { return world_.elapsed() < away_until_; }
  void expire();
  void end_lease(StoreLease lease);
  Result<CommitOutcome> apply(const StoreCommit& commit);

  SimWorld& world_;
  StoreOptions options_;
  Rng rng_;
  bool faults_ = true;
  Duration away_until_{0};
  std::map<std::string, StoredKey> keys_;
  std::map<StoreLease, Lease> leases_;
  std::int64_t revision_ = 1;
  StoreLease last_lease_ = 0;
};

// A call takes effect at once, or later, or never; its node then stands still for as long as the call took.
class SimStoreLink final : public KeyStore {
 public:
  // `waits`: whether the node's loop makes the calls itself and stands still meanwhile.
  SimStoreLink(SimStore& store, SimNode& node, bool waits) : store_(store), node_(node), waits_(waits) {}

  Result<std::vector<StoredKey>> read(const std::string& from, const std::string& to,
                                      std::uint32_t most) override;
  Result<CommitOutcome> commit(const StoreCommit& commit) override;
  Result<StoreLease> grant(std::uint64_t seconds) override;
  Result<std::chrono::seconds> keep_alive(StoreLease lease) override;
  Status revoke(StoreLease lease) override;
  std::string place() const override { return "the simulated store"; }
  void rest(Duration duration) override { pass(duration); }

  // The node's clock, and what has passed for it within the running event.
  Instant now() const;

 private:
  // Before the effect: whether there is to be one. After it: whether its answer arrives.
  Status reach();
  Status answer();
  void pass(Duration duration);

  SimStore& store_;
  SimNode& node_;
  bool waits_;
  Duration event_{0};  // the world's time of the running event, and what has passed within it
  Duration passed_{0};
};

}  // namespace capstan
