#include "scheduler/leadership.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {
namespace {

Result<std::optional<StoredKey>> read_one(KeyStore& store, const std::string& key) {
  CAPSTAN_ASSIGN(std::vector<StoredKey> found, store.read(key, key + '\0', 1));
  if (found.empty()) return std::optional<StoredKey>();
  return std::optional<StoredKey>(std::move(found[0]));
}

Error taken_by(const std::string& holder) {
  return make_error(ErrorCode::kTaken, holder);
}

}  // namespace

// An attempt whose answer was lost is recognised by its lease.
Status Leadership::campaign(KeyStore& store) {
  CAPSTAN_ASSIGN(const std::optional<StoredKey> found, read_one(store, options_.key));
  if (found.has_value()) {
    return found->lease == lease_ && lease_ != 0 ? confirm(store, found->created) : taken_by(found->value);
  }
  const Instant asked = options_.now();
  CAPSTAN_ASSIGN(lease_, store.grant(options_.lease_seconds));
  StoreCommit commit;
  commit.guard = options_.key;
  commit.puts.push_back({options_.key, options_.holder, lease_});
  CAPSTAN_ASSIGN(const CommitOutcome outcome, store.commit(commit));
  if (outcome.taken) {
    created_ = outcome.revision;
    extend(asked, std::chrono::seconds(options_.lease_seconds));
    return ok_status();
  }
  if (!outcome.guard.has_value()) return make_error(ErrorCode::kTimeout, "the leader has just gone");
  if (outcome.guard->lease == lease_) return confirm(store, outcome.guard->created);
  static_cast<void>(store.revoke(lease_));
  lease_ = 0;
  return taken_by(outcome.guard->value);
}

Status Leadership::confirm(KeyStore& store, std::int64_t created) {
  const Instant asked = options_.now();
  CAPSTAN_ASSIGN(const std::chrono::seconds left, store.keep_alive(lease_));
  if (left.count() == 0) {
    lease_ = 0;
    return make_error(ErrorCode::kTimeout, "the lease ended before the lead was confirmed");
  }
  created_ = created;
  extend(asked, left);
  return ok_status();
}

// The key is looked at, too: somebody may have deleted it.
Status Leadership::renew(KeyStore& store) {
  if (const std::string why = lost(); !why.empty()) return make_error(ErrorCode::kRefused, why);
  const Instant asked = options_.now();
  CAPSTAN_ASSIGN(const std::chrono::seconds left, store.keep_alive(lease_));
  CAPSTAN_ASSIGN(const std::optional<StoredKey> found, read_one(store, options_.key));
  if (left.count() == 0 || !found.has_value() || found->created != created_) {
    lose(fmt::format("{} has given up this scheduler's lead; {}", store.place(),
                     found.has_value() ? "it is led by " + found->value : "nobody leads now"));
    return make_error(ErrorCode::kRefused, lost());
  }
  extend(asked, left);
  return ok_status();
}

void Leadership::extend(Instant asked, Duration lasts) {
  const Instant until = asked + lasts * 9 / 10;
  until_.store(std::max(until_.load(), until.time_since_epoch().count()));
}

void Leadership::resign(KeyStore& store) {
  until_.store(0);
  static_cast<void>(store.revoke(lease_));
}

std::string Leadership::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void Leadership::lose(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (lost_.empty()) lost_ = why;
}

}  // namespace capstan
