#include "common/adapters/etcd_json.h"

#include <openssl/evp.h>
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

#include "common/text.h"

namespace capstan {
namespace {

namespace json = boost::json;

// What etcd's errors carry as `code`.
enum GrpcCode : std::int64_t { kDeadlineExceeded = 4, kNotFound = 5, kExhausted = 8, kUnavailable = 14 };

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return make_error(ErrorCode::kCorrupt, "a value that is no base64");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

json::string base64(std::string_view bytes) {
  return json::string(to_base64(bytes));
}

// Members of an answer. Numbers of 64 bits come as text; what is zero, empty or false is left out.
class Answer {
 public:
  explicit Answer(const json::object& object) : object_(object) {}

  std::int64_t number(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return 0;
    if (value->is_string()) return parse_int(std::string_view(value->get_string())).value_or(0);
    return value->is_int64() ? value->get_int64() : 0;
  }
  bool flag(std::string_view name) const {
    const json::value* value = find(name);
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  std::string_view text(std::string_view name) const {
    const json::value* value = find(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : "";
  }
  // Empty for one that is not there.
  const json::object& object(std::string_view name) const {
    static const json::object kNone;
    const json::value* value = find(name);
    return value != nullptr && value->is_object() ? value->get_object() : kNone;
  }
  const json::array& array(std::string_view name) const {
    static const json::array kNone;
    const json::value* value = find(name);
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
  }

 private:
  const json::value* find(std::string_view name) const { return object_.if_contains(name); }

  const json::object& object_;
};

Result<json::object> parse(std::string_view text) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  if (failed || !value.is_object()) {
    return make_error(ErrorCode::kCorrupt, fmt::format("an answer that is no JSON: {}", text.substr(0, 100)));
  }
  return std::move(value.get_object());
}

Result<std::vector<StoredKey>> keys_of(const json::array& kvs) {
  std::vector<StoredKey> keys;
  for (const json::value& each : kvs) {
    if (!each.is_object()) return make_error(ErrorCode::kCorrupt, "a key that is no object");
    const Answer kv(each.get_object());
    StoredKey key;
    CAPSTAN_ASSIGN(key.key, from_base64(kv.text("key")));
    CAPSTAN_ASSIGN(key.value, from_base64(kv.text("value")));
    key.created = kv.number("create_revision");
    key.lease = kv.number("lease");
    keys.push_back(std::move(key));
  }
  return keys;
}

json::object range_request(const std::string& from, const std::string& to) {
  return {{"key", base64(from)}, {"range_end", base64(to)}};
}

}  // namespace

std::string etcd_range_request(const std::string& from, const std::string& to, std::uint32_t most) {
  json::object request = range_request(from, to);
  request["limit"] = std::to_string(most);
  return json::serialize(request);
}

Result<std::vector<StoredKey>> read_etcd_range(std::string_view text) {
  CAPSTAN_ASSIGN(const json::object answer, parse(text));
  return keys_of(Answer(answer).array("kvs"));
}

std::string etcd_commit_request(const StoreCommit& commit) {
  json::array compare, success;
  if (!commit.guard.empty()) {
    compare.push_back(json::object{{"key", base64(commit.guard)},
                                   {"target", "CREATE"},
                                   {"result", "EQUAL"},
                                   {"create_revision", std::to_string(commit.guard_created)}});
  }
  if (commit.removes.has_value()) {
    success.push_back(
        json::object{{"request_delete_range", range_request(commit.removes->first, commit.removes->second)}});
  }
  for (const StoreCommit::Put& put : commit.puts) {
    json::object request{{"key", base64(put.key)}, {"value", base64(put.value)}};
    if (put.lease != 0) request["lease"] = std::to_string(put.lease);
    success.push_back(json::object{{"request_put", std::move(request)}});
  }
  json::object request{{"compare", std::move(compare)}, {"success", std::move(success)}};
  if (!commit.guard.empty()) {
    request["failure"] =
        json::array{json::object{{"request_range", json::object{{"key", base64(commit.guard)}}}}};
  }
  return json::serialize(request);
}

Result<CommitOutcome> read_etcd_commit(std::string_view text) {
  CAPSTAN_ASSIGN(const json::object object, parse(text));
  const Answer answer(object);
  CommitOutcome outcome;
  outcome.taken = answer.flag("succeeded");
  outcome.revision = Answer(answer.object("header")).number("revision");
  if (outcome.taken) return outcome;
  for (const json::value& response : answer.array("responses")) {
    if (!response.is_object()) continue;
    const Answer range(Answer(response.get_object()).object("response_range"));
    CAPSTAN_ASSIGN(std::vector<StoredKey> keys, keys_of(range.array("kvs")));
    if (!keys.empty()) outcome.guard = std::move(keys[0]);
  }
  return outcome;
}

std::string etcd_grant_request(std::uint64_t seconds) {
  return json::serialize(json::object{{"TTL", std::to_string(seconds)}});
}

Result<StoreLease> read_etcd_lease(std::string_view text) {
  CAPSTAN_ASSIGN(const json::object answer, parse(text));
  const StoreLease lease = Answer(answer).number("ID");
  if (lease == 0) return make_error(ErrorCode::kCorrupt, "etcd granted a lease without a number");
  return lease;
}

std::string etcd_lease_request(StoreLease lease) {
  return json::serialize(json::object{{"ID", std::to_string(lease)}});
}

// The gateway answers a stream with one line of JSON a message, errors included. A lease that has ended has
// no TTL.
Result<std::optional<std::chrono::seconds>> read_etcd_time_left(std::string_view text, StoreLease lease) {
  using Left = std::optional<std::chrono::seconds>;
  CAPSTAN_ASSIGN(const json::object answer, parse(text.substr(0, text.find('\n'))));
  const Answer result(Answer(answer).object("result"));
  return result.number("ID") == lease ? Left(result.number("TTL")) : Left();
}

// What an answer other than 200 means.
Error read_etcd_refusal(unsigned status, std::string_view text) {
  const auto body = parse(text);
  const std::string_view said = body.ok() ? Answer(*body).text("error") : "";
  if (said.empty()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("HTTP status {}, which is not etcd's JSON gateway of version 3: is it etcd "
                                  "3.4 or newer, and its client port?",
                                  status));
  }
  const std::string words(said);
  switch (Answer(*body).number("code")) {
    case kDeadlineExceeded:
    case kUnavailable:
      return make_error(ErrorCode::kTimeout, words);
    case kNotFound:
      return make_error(ErrorCode::kNotFound, words);
    case kExhausted:
      return make_error(ErrorCode::kNoSpace,
                        words +
                            ": make room in etcd (compact, defragment, `etcdctl alarm disarm`) or raise its "
                            "--quota-backend-bytes");
    default:
      return make_error(ErrorCode::kInvalid, words);
  }
}

}  // namespace capstan
