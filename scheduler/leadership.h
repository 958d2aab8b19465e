// Leadership: which of a job's schedulers leads, by a key in a store that goes with its holder's lease.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "common/key_store.h"

namespace capstan {

struct LeadershipOptions {
  std::string key;
  std::string holder;               // this scheduler, in words for the others
  std::uint64_t lease_seconds = 3;  // as the store counts it
  std::function<Instant()> now;     // may be called by any thread that calls renew()
};

// The lead counts from when it was asked for, and ends here a tenth of the lease before the store forgets it.
// campaign() and then renew() are for one thread at a time; the others' answers may be asked by any.
class Leadership {
 public:
  explicit Leadership(LeadershipOptions options) : options_(std::move(options)) {}

  // One attempt. ok: this scheduler leads. kTaken: another does; the message is who. Else the store's error.
  Status campaign(KeyStore& store);
  // kRefused: the lead is lost for good, as lost() says. Other errors: the store did not answer; the lead
  // runs on until until(), and may be renewed later, too.
  Status renew(KeyStore& store);
  // How often: a try that fails leaves time for others.
  Duration renew_every() const { return std::chrono::seconds(options_.lease_seconds) / 6; }
  // The next may lead at once. REQUIRES: nothing is said or written as leader any more.
  void resign(KeyStore& store);

  Instant until() const { return Instant(Duration(until_.load())); }
  std::string lost() const;  // why, and who leads now if that is known; empty: not lost
  // The store refused what only a leader may do.
  void lose(const std::string& why);

  const std::string& key() const { return options_.key; }
  std::int64_t created() const { return created_; }  // the key's revision; fixed once campaign() was well
  StoreLease lease() const { return lease_; }

 private:
  Status confirm(KeyStore& store, std::int64_t created);
  void extend(Instant asked, Duration lasts);

  LeadershipOptions options_;
  StoreLease lease_ = 0;
  std::int64_t created_ = 0;
  std::atomic<std::int64_t> until_{0};
  mutable std::mutex mutex_;
  std::string lost_;
};

}  // namespace capstan
