#include "sim/sim_store.h"

#include <algorithm>

#include "common/hash.h"

namespace capstan {
namespace {

Error no_answer() {
  return make_error(ErrorCode::kTimeout, "no answer from the simulated store");
}

}  // namespace

SimStore::SimStore(SimWorld& world, std::uint64_t seed, StoreOptions options)
    : world_(world), options_(options), rng_(combine(seed, hash_string("store"))) {}

void SimStore::go_away(Duration duration, bool leases_begin_anew) {
  expire();
  away_until_ = world_.elapsed() + duration;
  for (auto& [id, lease] : leases_) {
    if (leases_begin_anew) lease.until = std::max(lease.until, away_until_ + lease.ttl);
  }
}

void SimStore::drop_leases() {
  while (!leases_.empty()) end_lease(leases_.begin()->first);
}

std::string SimStore::values(const std::string& prefix) const {
  std::string all;
  for (const auto& [key, stored] : keys_) {
    if (key.starts_with(prefix)) all += stored.value;
  }
  return all;
}

void SimStore::expire() {
  std::vector<StoreLease> ended;
  for (const auto& [id, lease] : leases_) {
    if (lease.until <= world_.elapsed()) ended.push_back(id);
  }
  for (const StoreLease id : ended) end_lease(id);
}

void SimStore::end_lease(StoreLease lease) {
  leases_.erase(lease);
  std::erase_if(keys_, [&](const auto& each) { return each.second.lease == lease; });
  ++revision_;
}

// A key cannot be put under a lease that has ended.
Result<CommitOutcome> SimStore::apply(const StoreCommit& commit) {
  CommitOutcome outcome;
  const auto guard = keys_.find(commit.guard);
  if (!commit.guard.empty() && (guard == keys_.end() ? 0 : guard->second.created) != commit.guard_created) {
    if (guard != keys_.end()) outcome.guard = guard->second;
    return outcome;
  }
  for (const StoreCommit::Put& put : commit.puts) {
    if (put.lease != 0 && !leases_.contains(put.lease))
      return make_error(ErrorCode::kNotFound, "no such lease");
  }
  outcome.taken = true;
  outcome.revision = ++revision_;
  if (commit.removes.has_value()) {
    keys_.erase(keys_.lower_bound(commit.removes->first), keys_.lower_bound(commit.removes->second));
  }
  for (const StoreCommit::Put& put : commit.puts) {
    const auto [at, added] = keys_.try_emplace(put.key, StoredKey{put.key, "", revision_, 0});
    at->second.value = put.value;
    at->second.lease = put.lease;
  }
  return outcome;
}

Instant SimStoreLink::now() const {
  return node_.loop().now() + (event_ == store_.world_.elapsed() ? passed_ : Duration(0));
}

void SimStoreLink::pass(Duration duration) {
  if (!waits_) return;
  if (std::exchange(event_, store_.world_.elapsed()) != store_.world_.elapsed()) passed_ = Duration(0);
  passed_ += duration;
  store_.world_.pause(node_, passed_);
}

Status SimStoreLink::reach() {
  if (store_.away()) {
    pass(store_.options_.limit);
    return make_error(ErrorCode::kUnavailable, "the simulated store is away");
  }
  store_.expire();
  if (!store_.chance(store_.options_.request_lost)) return ok_status();
  pass(store_.options_.limit);
  return no_answer();
}

Status SimStoreLink::answer() {
  if (store_.chance(store_.options_.answer_lost)) {
    pass(store_.options_.limit);
    return no_answer();
  }
  const auto most = static_cast<std::uint64_t>(store_.options_.call_max.count());
  pass(Duration(static_cast<std::int64_t>(store_.rng_.below(most + 1))));
  return ok_status();
}

Result<std::vector<StoredKey>> SimStoreLink::read(const std::string& from, const std::string& to,
                                                  std::uint32_t most) {
  CAPSTAN_TRY(reach());
  std::vector<StoredKey> found;
  for (auto at = store_.keys_.lower_bound(from); at != store_.keys_.end() && at->first < to; ++at) {
    if (found.size() == most) break;
    found.push_back(at->second);
  }
  CAPSTAN_TRY(answer());
  return found;
}

Result<CommitOutcome> SimStoreLink::commit(const StoreCommit& commit) {
  CAPSTAN_TRY(reach());
  if (store_.chance(store_.options_.late)) {
    const auto most = static_cast<std::uint64_t>(store_.options_.late_max.count());
    const Duration delay(static_cast<std::int64_t>(store_.rng_.below(most + 1)));
    store_.world_.call_after(delay, [&store = store_, commit] {
      store.expire();
      static_cast<void>(store.apply(commit));
    });
    pass(store_.options_.limit);
    return no_answer();
  }
  CAPSTAN_ASSIGN(const CommitOutcome outcome, store_.apply(commit));
  CAPSTAN_TRY(answer());
  return outcome;
}

Result<StoreLease> SimStoreLink::grant(std::uint64_t seconds) {
  CAPSTAN_TRY(reach());
  const Duration ttl = std::chrono::seconds(seconds);
  const StoreLease id = ++store_.last_lease_;
  store_.leases_[id] = {ttl, store_.world_.elapsed() + ttl};
  CAPSTAN_TRY(answer());
  return id;
}

Result<std::chrono::seconds> SimStoreLink::keep_alive(StoreLease lease) {
  CAPSTAN_TRY(reach());
  const auto found = store_.leases_.find(lease);
  std::chrono::seconds left{0};
  if (found != store_.leases_.end()) {
    found->second.until = std::max(found->second.until, store_.world_.elapsed() + found->second.ttl);
    left = std::chrono::duration_cast<std::chrono::seconds>(found->second.ttl);
  }
  CAPSTAN_TRY(answer());
  return left;
}

Status SimStoreLink::revoke(StoreLease lease) {
  CAPSTAN_TRY(reach());
  store_.end_lease(lease);
  return answer();
}

}  // namespace capstan
