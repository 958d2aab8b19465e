// KeyStore: the part of etcd that the scheduler needs: keys in order, leases, and writes that are taken only
// while a key is what it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/result.h"

namespace capstan {

using StoreLease = std::int64_t;  // 0: none

struct StoredKey {
  std::string key, value;
  std::int64_t created = 0;  // the store's revision that created it
  StoreLease lease = 0;
};

// All of it, or nothing.
struct StoreCommit {
  // Taken only if this key was created at that revision; 0: only if there is none. Empty: always.
  std::string guard;
  std::int64_t guard_created = 0;
  std::optional<std::pair<std::string, std::string>>
      removes;  // every key in [first, second); done before puts
  struct Put {
    std::string key, value;
    StoreLease lease = 0;  // the key goes when this ends
  };
  std::vector<Put> puts;
};

struct CommitOutcome {
  bool taken = false;
  std::int64_t revision = 0;       // taken: of what was put
  std::optional<StoredKey> guard;  // not taken: as it was found
};

// Every call waits for its answer, for a limited time. kUnavailable: nothing was done. kTimeout: it may have
// happened, or may happen yet. Other errors stay as they are until somebody mends the store.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  // The first keys in [from, to), as of all that was committed before; at most `most`.
  virtual Result<std::vector<StoredKey>> read(const std::string& from, const std::string& to,
                                              std::uint32_t most) = 0;
  virtual Result<CommitOutcome> commit(const StoreCommit& commit) = 0;
  virtual Result<StoreLease> grant(std::uint64_t seconds) = 0;
  // How long it lasts from now on; 0: it has ended.
  virtual Result<std::chrono::seconds> keep_alive(StoreLease lease) = 0;
  virtual Status revoke(StoreLease lease) = 0;
  virtual std::string place() const = 0;  // for people: "etcd at http://a:2379"
  // Lets time pass between two tries.
  virtual void rest(Duration duration) = 0;
};

// The least key that does not begin with `prefix`. REQUIRES: its last byte is not 0xff.
inline std::string end_of_prefix(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace capstan
