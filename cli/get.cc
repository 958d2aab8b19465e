// `capstan get`: rows of a table, from a running cluster or a checkpoint.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/live_rows.h"
#include "cli/offline_job.h"
#include "common/section_chains.h"
#include "common/text.h"
#include "ps/optimizer/registry.h"
#include "ps/table/row_layout.h"

namespace capstan {
namespace {

struct GetOptions {
  std::string table;
  std::vector<Key> keys;
  std::string checkpoint;
  LiveTarget live;
};

std::string floats_text(const float* values, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}{:.6g}", i == 0 ? "" : " ", values[i]);
  return text;
}

// One row in words. The bytes hold weights, then optimizer state, then meta.
std::string row_text(const TableSpec& spec, Key key, std::span<const std::byte> bytes,
                     const std::string& owner) {
  if (spec.dense && key >= spec.num_rows) {
    return fmt::format("{} key {}: {} is a layer of {} rows, 0 to {}\n", spec.name, key, spec.name,
                       spec.num_rows, spec.num_rows - 1);
  }
  if (bytes.empty())
    return fmt::format("{} key {} on {}: no row yet (a pull gives its initial value)\n", spec.name, key,
                       owner);
  const std::size_t state = make_optimizer(spec.optimizer)->state_floats(spec.dim);
  const RowLayout layout(spec, static_cast<std::uint32_t>(state));
  std::vector<float> values(std::max<std::size_t>(spec.dim, state));
  layout.read_weights(bytes.data(), values.data());
  std::string text = fmt::format("{} key {} on {}\n  weights {}\n", spec.name, key, owner,
                                 floats_text(values.data(), spec.dim));
  std::memcpy(values.data(), layout.tail(bytes.data()), state * sizeof(float));
  if (state > 0) text += fmt::format("  state   {}\n", floats_text(values.data(), state));
  return text + fmt::format("  last step {}\n", layout.last_step(layout.tail(bytes.data())));
}

// Who wrote the shard of the key.
std::string owner_text(const CheckpointTables& tables, Key key) {
  const std::uint32_t shard = shard_of(key, tables.manifest().num_shards);
  const SectionChain chain = chain_of(tables.manifest().sections, shard);
  const std::string file = chain.empty() ? std::string() : chain.back().file;
  return fmt::format("{} (shard {} of {})", file.substr(0, file.rfind(".rows")), shard, tables.directory());
}

int from_checkpoint(const GetOptions& options, Console console) {
  AnyStorage files;
  const auto tables = CheckpointTables::open(files, options.checkpoint);
  if (!tables.ok()) return complain(tables.error(), console);
  say_notes(*tables, console);
  const auto table = tables->table(options.table);
  if (!table.ok()) return complain(table.error(), console);
  for (const Key key : options.keys) {
    console.out << row_text(tables->spec(*table), key, tables->row(*table, key), owner_text(*tables, key));
  }
  return kExitOk;
}

int from_cluster(const GetOptions& options, Console console) {
  const auto rows = fetch_rows(options.live, options.table, options.keys);
  if (!rows.ok()) return complain(rows.error(), console);
  for (const auto& row : *rows) console.out << row_text(row.spec, row.key, row.bytes, row.owner);
  return kExitOk;
}

int run(const GetOptions& options, Console console) {
  if (!options.checkpoint.empty() && !options.live.scheduler.empty()) {
    console.err << "capstan: get reads --scheduler or --checkpoint, not both\n";
    return kExitUsage;
  }
  if (!options.checkpoint.empty()) return from_checkpoint(options, console);
  if (options.live.scheduler.empty() || options.live.job_id.empty()) {
    console.err << "capstan: get reads a running cluster (--scheduler tcp://host:port --job NAME) or a "
                   "--checkpoint\n";
    return kExitUsage;
  }
  return from_cluster(options, console);
}

}  // namespace

void add_get(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* command = app.add_subcommand("get", "Print rows of a table with their optimizer state and owner");
  command->add_option("table", options->table, "The table's name")->required();
  const auto is_key = [](const std::string& text) {
    return parse_uint(text) ? std::string() : text + " is no key: 0 to 18446744073709551615";
  };
  command->add_option("keys", options->keys, "Keys (unsigned 64-bit numbers)")
      ->required()
      ->check(CLI::Validator(is_key, ""));
  command->add_option("--checkpoint", options->checkpoint,
                      "Read this checkpoint, or the best of this folder");
  add_live_target(*command, options->live);
  command->footer("Example: capstan get user 17 42 --checkpoint out/movielens/checkpoints");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
