#include "common/adapters/etcd_store.h"

#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <mutex>

#include "common/adapters/etcd_json.h"
#include "common/assert.h"
#include "common/text.h"

namespace capstan {
namespace {

constexpr int kReadPatience = 8;                    // times the limit: an answer of many MB takes a while
constexpr std::size_t kBytesPerLimit = 256U << 10;  // of a request: another limit's time for so many

}  // namespace

EtcdStore::EtcdStore(const std::vector<std::string>& endpoints, Duration limit) : limit_(limit) {
  for (const std::string& endpoint : endpoints) {
    auto place = parse_http_endpoint(endpoint);
    CAPSTAN_ASSERT(place.ok(), "endpoints were checked");
    members_.emplace_back(new Member{endpoint, HttpClient(std::move(place).value())});
  }
  CAPSTAN_ASSERT(!members_.empty(), "etcd has a member");
}

std::string EtcdStore::place() const {
  std::vector<std::string> endpoints;
  for (const auto& member : members_) endpoints.push_back(member->endpoint);
  return "etcd at " + join(endpoints, ", ");
}

void EtcdStore::rest(Duration duration) {
  std::mutex mutex;
  std::condition_variable nobody;
  std::unique_lock lock(mutex);
  nobody.wait_for(lock, duration, [] { return false; });
}

// Whoever has no answer for us is passed over. One that may have taken the request makes the whole outcome
// uncertain, whatever the others say.
Result<std::string> EtcdStore::ask(const std::string& path, const std::string& body, Duration limit) {
  std::vector<std::string> words;
  ErrorCode code = ErrorCode::kUnavailable;
  for (std::size_t tried = 0; tried < members_.size(); ++tried) {
    Member& member = *members_[next_];
    auto answer = member.client.post(path, body, limit);
    if (answer.ok() && answer->status == 200) return std::move(answer->body);
    const Error error = answer.ok() ? read_etcd_refusal(answer->status, answer->body) : answer.error();
    words.push_back(fmt::format("{}: {}", member.endpoint, error.message));
    if (error.code != ErrorCode::kUnavailable && error.code != ErrorCode::kTimeout) {
      return make_error(error.code, fmt::format("etcd at {}", words.back()));
    }
    if (error.code == ErrorCode::kTimeout) code = ErrorCode::kTimeout;
    next_ = (next_ + 1) % members_.size();
  }
  return make_error(code, fmt::format("no answer from etcd ({}): is it running, and are these its "
                                      "client addresses?",
                                      join(words, "; ")));
}

Result<std::vector<StoredKey>> EtcdStore::read(const std::string& from, const std::string& to,
                                               std::uint32_t most) {
  CAPSTAN_ASSIGN(const std::string text,
                 ask("/v3/kv/range", etcd_range_request(from, to, most), limit_ * kReadPatience));
  return read_etcd_range(text);
}

Result<CommitOutcome> EtcdStore::commit(const StoreCommit& commit) {
  const std::string body = etcd_commit_request(commit);
  const auto limits = static_cast<int>(1 + body.size() / kBytesPerLimit);
  CAPSTAN_ASSIGN(const std::string text, ask("/v3/kv/txn", body, limit_ * limits));
  return read_etcd_commit(text);
}

Result<StoreLease> EtcdStore::grant(std::uint64_t seconds) {
  CAPSTAN_ASSIGN(const std::string text, ask("/v3/lease/grant", etcd_grant_request(seconds), limit_));
  return read_etcd_lease(text);
}

Result<std::chrono::seconds> EtcdStore::keep_alive(StoreLease lease) {
  CAPSTAN_ASSIGN(const std::string text, ask("/v3/lease/keepalive", etcd_lease_request(lease), limit_));
  CAPSTAN_ASSIGN(const auto left, read_etcd_time_left(text, lease));
  if (left.has_value()) return *left;
  return make_error(ErrorCode::kTimeout, fmt::format("{} says of a lease: {}", place(), text));
}

Status EtcdStore::revoke(StoreLease lease) {
  const auto answer = ask("/v3/lease/revoke", etcd_lease_request(lease), limit_);
  if (answer.ok() || answer.error().code == ErrorCode::kNotFound) return ok_status();
  return answer.error();
}

}  // namespace capstan
