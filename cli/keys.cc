// `capstan keys`: the keys of a cluster whose links are encrypted.
#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/offline_job.h"
#include "cli/wire_keys.h"
#include "common/adapters/disk_files.h"
#include "common/adapters/file_keys.h"

namespace capstan {
namespace {

struct KeysOptions {
  std::string folder = "keys", role, name;
};

constexpr const char* kForCheckpoints = "checkpoint";

int make_for_checkpoints(const KeysOptions& options, Console console) {
  const std::string file = options.folder + "/" + kFileKeysName;
  if (const Status made = add_file_key(file); !made.ok()) return complain(made.error(), console);
  const auto keys = read_file_keys(file);
  if (!keys.ok()) return complain(keys.error(), console);
  console.out << fmt::format("{}: what is written from now on is encrypted with key {:016x}{}\n", file,
                             id_of(keys->front()),
                             keys->size() == 1 ? "" : "; the keys below it read what there is");
  return kExitOk;
}

Error unreadable(const Error& error) {
  return make_error(error.code, error.message + ": let this user read it, or name another folder (--keys)");
}

int make(const KeysOptions& options, Console console) {
  if (options.role.empty()) {
    const Status made = make_missing_keys(options.folder);
    if (!made.ok()) return complain(made.error(), console);
    const auto listed = DiskFiles().read(options.folder + "/" + kAllowedFile);
    if (!listed.ok()) return complain(unreadable(listed.error()), console);
    console.out << fmt::format(
        "keys in {0}: give a host {0}/{1} and the .key files of the roles that it runs; {2}, which encrypts "
        "checkpoints, to scheduler and servers\n",
        options.folder, kAllowedFile, kFileKeysName);
    return kExitOk;
  }
  if (options.role == kForCheckpoints) return make_for_checkpoints(options, console);
  const std::string name = options.name.empty() ? options.role : options.name;
  const auto made = add_key(options.folder, *parse_role(options.role), name);
  if (!made.ok() && made.error().code == ErrorCode::kTaken) {
    return complain(
        make_error(ErrorCode::kTaken, made.error().message + "; --name gives the new key another"), console);
  }
  if (!made.ok()) return complain(made.error(), console);
  console.out << fmt::format("{} {} {}\n", options.role, to_hex(*made), name);
  return kExitOk;
}

int show(const KeysOptions& options, Console console) {
  const std::string file = options.folder + "/" + kAllowedFile;
  const auto text = DiskFiles().read(file);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
    return complain(
        make_error(ErrorCode::kNotFound,
                   fmt::format("no {0}: `capstan keys new --keys {1}` makes keys", file, options.folder)),
        console);
  }
  if (!text.ok()) return complain(unreadable(text.error()), console);
  const auto allowed = parse_allowed(text->text(), file);
  if (!allowed.ok()) return complain(allowed.error(), console);
  for (const AllowedKey& each : *allowed) {
    std::error_code error;
    const bool here = std::filesystem::exists(options.folder + "/" + each.name + kSecretSuffix, error);
    console.out << fmt::format("{:10} {} {}{}\n", to_string(each.role), to_hex(each.key), each.name,
                               here ? "" : "  (its secret is not in this folder)");
  }
  const auto file_keys = read_file_keys(options.folder + "/" + kFileKeysName);
  if (!file_keys.ok() && file_keys.error().code != ErrorCode::kNotFound)
    return complain(file_keys.error(), console);
  for (const FileKey& key : file_keys.ok() ? *file_keys : std::vector<FileKey>()) {
    console.out << fmt::format("{:10} {:016x}, the number of a secret key\n", kForCheckpoints, id_of(key));
  }
  return kExitOk;
}

}  // namespace

void add_keys(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<KeysOptions>();
  CLI::App* keys = app.add_subcommand("keys", "Make and show the keys of a cluster with encrypted links");
  keys->require_subcommand(1);
  const auto add_folder = [&](CLI::App* command) {
    command->add_option("--keys", options->folder, "The folder of keys")
        ->envname("CAPSTAN_KEYS")
        ->capture_default_str();
  };
  CLI::App* fresh = keys->add_subcommand("new", "Make a key for each role, or one more");
  add_folder(fresh);
  CLI::Option* role = fresh
                          ->add_option("--role", options->role,
                                       "One key, for this role; for checkpoints: the one that new ones are "
                                       "encrypted with")
                          ->check(CLI::IsMember({"scheduler", "server", "worker", "tool", kForCheckpoints}));
  fresh
      ->add_option("--name", options->name, "The name of the key's file: a node's own, or one for a rotation")
      ->needs(role);
  fresh->footer("Example: capstan keys new --keys keys --role worker --name worker-2026");
  fresh->callback([options, console, &exit_code] { exit_code = make(*options, console); });
  CLI::App* list = keys->add_subcommand("show", "List the keys that may take part");
  add_folder(list);
  list->callback([options, console, &exit_code] { exit_code = show(*options, console); });
}

}  // namespace capstan
