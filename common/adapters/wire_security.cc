#include "common/adapters/wire_security.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include "common/assert.h"
#include "common/endpoint_check.h"

namespace capstan {
namespace {

constexpr Duration kTellEvery = std::chrono::minutes(1);

bool is_of_this_host(const std::string& address) {
  return is_loopback(address) || address.starts_with("inproc://") || address.starts_with("ipc://");
}

void set_key(void* socket, int option, const CurveKey& key) {
  CAPSTAN_ASSERT(zmq_setsockopt(socket, option, key.data(), key.size()) == 0, "libzmq was built with Curve");
}

}  // namespace

WireSecurity::WireSecurity(AsioLoop& loop, void* context, SecurityOptions options)
    : loop_(loop), context_(context), options_(std::move(options)) {
  if (!has_keys()) return;
  zap_ = std::make_unique<ZapHandler>(
      loop_, context_, *options_.keys, [this](const std::string& why, const std::string& address) {
        ++counters.keys_refused;
        if (!options_.keys->trouble().empty()) tell("list", "keys: " + options_.keys->trouble());
        tell("key", fmt::format("a peer at {} was refused: {}", address, why));
      });
}

Status WireSecurity::check_listen(const std::string& address) const {
  if (has_keys() || options_.insecure || is_of_this_host(address)) return ok_status();
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("listen on {}: without keys whoever reaches it could change the model. Give keys (--keys "
                  "DIR, made by `capstan keys new`), listen at 127.0.0.1, or say --insecure",
                  address));
}

void WireSecurity::secure_listener(void* socket) const {
  if (!has_keys()) return;
  const int yes = 1;
  CAPSTAN_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof(yes)) == 0,
                 "libzmq was built with Curve");
  set_key(socket, ZMQ_CURVE_SECRETKEY, options_.keys->own().secret_key);
}

std::string WireSecurity::told(const std::string& bound) const {
  return has_keys() ? with_key(bound, to_hex(options_.keys->own().public_key)) : bound;
}

Result<std::optional<CurveKey>> WireSecurity::key_for(const std::string& endpoint,
                                                      std::size_t attempt) const {
  const std::string own = key_part(endpoint);
  if (!has_keys() && own.empty()) return std::optional<CurveKey>();
  if (!has_keys()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("connect to {}: it asks for keys: give --keys DIR", endpoint));
  }
  if (!own.empty()) return parse_curve_key(own);
  const auto schedulers = options_.keys->keys_of(Role::kScheduler);
  if (!schedulers.empty()) return std::optional(schedulers[attempt % schedulers.size()]);
  return make_error(ErrorCode::kInvalid,
                    fmt::format("connect to {}: the list of allowed keys has no scheduler's", endpoint));
}

void WireSecurity::secure_connection(void* socket, const CurveKey& server) const {
  set_key(socket, ZMQ_CURVE_SERVERKEY, server);
  set_key(socket, ZMQ_CURVE_PUBLICKEY, options_.keys->own().public_key);
  set_key(socket, ZMQ_CURVE_SECRETKEY, options_.keys->own().secret_key);
}

std::unique_ptr<ZmqMonitor> WireSecurity::watch_listener(void* socket) {
  return std::make_unique<ZmqMonitor>(
      loop_, context_, socket, [this](Handshake outcome, const std::string& endpoint) {
        if (outcome != Handshake::kFailed) return;  // a key that is refused is told by who refuses it
        ++counters.handshakes_failed;
        tell("handshake",
             fmt::format("a greeting at {} failed: {}", endpoint,
                         has_keys()
                             ? "the peer has no keys (--keys), or asked for another key than ours"
                             : "the peer has keys and we have none (--keys), or speaks another protocol"));
      });
}

std::unique_ptr<ZmqMonitor> WireSecurity::watch_connection(void* socket, std::string endpoint,
                                                           std::function<void(Handshake)> failed) {
  return std::make_unique<ZmqMonitor>(
      loop_, context_, socket,
      [this, endpoint = std::move(endpoint), failed = std::move(failed)](Handshake outcome,
                                                                         const std::string&) {
        if (outcome == Handshake::kSucceeded) return refused("");
        const bool refuses = outcome == Handshake::kRefused;
        const std::string why =
            refuses ? fmt::format("{} does not allow our key {}: add it to its list of allowed ones",
                                  endpoint, to_hex(options_.keys->own().public_key))
                    : fmt::format("{} breaks our greeting off: {}", endpoint,
                                  has_keys() ? "it has another key than we know, or none (--keys)"
                                             : "it asks for keys (--keys), or is no node of Capstan");
        // Whoever is asked for another key than its own breaks off. Without keys it may be the connection
        // that broke, and is worth a word only when no answer comes.
        if (outcome == Handshake::kBrokenOff && !has_keys()) return refused(why);
        if (!refuses) ++counters.handshakes_failed;
        tell((refuses ? "refused " : "failed ") + endpoint, why);
        refused(why);
        failed(outcome);
      });
}

void WireSecurity::refused(const std::string& why) const {
  if (options_.refused) options_.refused(why);
}

void WireSecurity::tell_impostor(const std::string& user) {
  ++counters.impostors_dropped;
  tell("impostor", fmt::format("messages of {} under another peer's name are dropped", user));
}

void WireSecurity::tell_other_role(const std::string& user, std::string_view role) {
  tell("role", fmt::format("a peer greets as a {}, but its key is that of {}: refused", role, user));
}

void WireSecurity::tell(const std::string& reason, const std::string& text) {
  if (!options_.tell) return;
  const Instant now = loop_.now();
  const auto [told, first] = told_at_.try_emplace(reason, now);
  if (!first && now - told->second < kTellEvery) return;
  told->second = now;
  options_.tell(text);
}

}  // namespace capstan
