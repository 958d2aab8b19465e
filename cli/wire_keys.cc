#include "cli/wire_keys.h"

#include <cstdio>
#include <filesystem>

#include "common/adapters/file_keys.h"

namespace capstan {

void add_keys_option(CLI::App& command, KeyArgs& keys) {
  command
      .add_option("--keys", keys.folder,
                  "Folder of keys, made by `capstan keys new`: every link is encrypted, and only listed keys "
                  "take part")
      ->envname("CAPSTAN_KEYS");
}

void add_insecure_option(CLI::App& command, KeyArgs& keys) {
  command.add_flag("--insecure", keys.insecure,
                   "Without keys: listen beyond this host all the same, and trust whoever reaches it");
}

KeyArgs with_job(KeyArgs keys, const ClusterConfig& cluster) {
  if (keys.folder.empty() && cluster.security == Security::kCurve) keys.folder = cluster.keys;
  keys.insecure = keys.insecure || cluster.insecure;
  return keys;
}

Status make_missing_keys(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::path(folder) / kAllowedFile, error)) return ok_status();
  const std::string file_keys = folder + "/" + kFileKeysName;
  if (!std::filesystem::exists(file_keys, error)) CAPSTAN_TRY(add_file_key(file_keys));
  return add_key_for_each_role(folder);
}

std::set<std::string> key_files_of(Role role) {
  std::set<std::string> files = {kAllowedFile, std::string(to_string(role)) + kSecretSuffix};
  if (role == Role::kScheduler || role == Role::kServer) files.emplace(kFileKeysName);
  return files;
}

Result<SecurityOptions> security_of(const KeyArgs& keys, Role role, const std::string& name, const Log* log) {
  SecurityOptions security;
  security.insecure = keys.insecure;
  security.tell = [log](const std::string& text) {
    log != nullptr ? log->warn("{}", text) : static_cast<void>(std::fprintf(stderr, "%s\n", text.c_str()));
  };
  if (keys.folder.empty()) return security;
  CAPSTAN_ASSIGN(KeyRing ring, KeyRing::open(keys.folder, role, name));
  security.keys = std::make_shared<KeyRing>(std::move(ring));
  return security;
}

Result<SecurityOptions> tool_security(const KeyArgs& keys) {
  return security_of(keys, Role::kTool, std::string(to_string(Role::kTool)), nullptr);
}

Result<SecurityOptions> own_security(const KeyArgs& keys) {
  if (!keys.folder.empty()) CAPSTAN_TRY(make_missing_keys(keys.folder));
  return tool_security(keys);
}

std::string with_refusal(const std::string& text, const std::string& refusal) {
  constexpr std::string_view kQuestion = "is it running, and is that its address?";
  const auto at = text.find(kQuestion);
  return refusal.empty() || at == std::string::npos ? text : text.substr(0, at) + refusal;
}

void add_metrics(const SecurityCounters& counters, Metrics& out) {
  out.counter("capstan_keys_refused_total",
              "Greetings of peers whose key is not in the list of allowed ones.",
              static_cast<double>(counters.keys_refused));
  out.counter("capstan_handshakes_failed_total",
              "Greetings without a key, for another key than ours, repeated ones, and of other protocols.",
              static_cast<double>(counters.handshakes_failed));
  out.counter("capstan_impostors_dropped_total", "Messages under the name of a peer that has another key.",
              static_cast<double>(counters.impostors_dropped));
}

}  // namespace capstan
