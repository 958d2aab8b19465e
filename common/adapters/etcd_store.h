// EtcdStore: KeyStore by etcd's HTTP/JSON gateway (API version 3).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/adapters/http_client.h"
#include "common/key_store.h"

namespace capstan {

// Asks the members in turn, beginning with the one that answered last. For one thread at a time.
class EtcdStore final : public KeyStore {
 public:
  // For one member's answer; many bytes may take some times as long.
  static constexpr Duration kLimit = std::chrono::milliseconds(750);

  // REQUIRES: parse_http_endpoint() takes each of `endpoints`, and there is one.
  explicit EtcdStore(const std::vector<std::string>& endpoints, Duration limit = kLimit);

  Result<std::vector<StoredKey>> read(const std::string& from, const std::string& to,
                                      std::uint32_t most) override;
  Result<CommitOutcome> commit(const StoreCommit& commit) override;
  Result<StoreLease> grant(std::uint64_t seconds) override;
  Result<std::chrono::seconds> keep_alive(StoreLease lease) override;
  Status revoke(StoreLease lease) override;
  std::string place() const override;
  void rest(Duration duration) override;

 private:
  struct Member {
    std::string endpoint;
    HttpClient client;
  };
  // The text of the answer, for the caller to read as JSON.
  Result<std::string> ask(const std::string& path, const std::string& body, Duration limit);

  Duration limit_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t next_ = 0;
};

}  // namespace capstan
