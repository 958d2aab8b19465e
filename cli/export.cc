// `capstan export`: a checkpoint's tables for other programs, as npz or TSV.
#include <spdlog/fmt/fmt.h>

#include <cstring>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/npz_writer.h"
#include "cli/offline_job.h"

namespace capstan {
namespace {

struct ExportOptions {
  std::string checkpoint;
  std::string out;
  std::string format = "npz";
  std::vector<std::string> tables;
};

// Keys and weights of one table, as stored: shard by shard.
struct TableRows {
  std::vector<std::uint64_t> keys;
  std::vector<float> weights;  // [keys, dim]
};

TableRows rows_of(const CheckpointTables& tables, std::uint32_t table) {
  TableRows rows;
  const std::size_t dim = tables.spec(table).dim;
  tables.for_each_row(table, [&](Key key, std::span<const std::byte> bytes) {
    rows.keys.push_back(key);
    rows.weights.resize(rows.weights.size() + dim);
    std::memcpy(rows.weights.data() + rows.weights.size() - dim, bytes.data(), dim * sizeof(float));
  });
  return rows;
}

Status write_npz(Storage& storage, const std::string& path, const TableRows& rows, std::size_t dim) {
  CAPSTAN_ASSIGN(NpzWriter writer, NpzWriter::create(storage, path));
  CAPSTAN_TRY(writer.add("keys", rows.keys));
  CAPSTAN_TRY(writer.add("weights", rows.weights, dim));
  return writer.finish();
}

// A line a row: the key, then its weights.
Status write_tsv(Storage& storage, const std::string& path, const TableRows& rows, std::size_t dim) {
  constexpr std::size_t kPiece = 1U << 20;
  CAPSTAN_ASSIGN(auto file, storage.create(path));
  fmt::memory_buffer text;
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}", rows.keys[i]);
    for (std::size_t d = 0; d < dim; ++d)
      fmt::format_to(std::back_inserter(text), "\t{}", rows.weights[i * dim + d]);
    text.push_back('\n');
    if (text.size() < kPiece) continue;
    CAPSTAN_TRY(file->append(std::as_bytes(std::span(text.data(), text.size()))));
    text.clear();
  }
  CAPSTAN_TRY(file->append(std::as_bytes(std::span(text.data(), text.size()))));
  CAPSTAN_TRY(file->sync());
  return file->close();
}

// A table is named after a feature, which may be called anything: one step of a path, told apart by %XX.
std::string file_name(const std::string& table) {
  std::string name;
  for (const char c : table) {
    const bool plain =
        static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != '%' && !(c == '.' && name.empty());
    name += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return name;
}

int run(ExportOptions options, Console console) {
  AnyStorage files;
  const auto tables = CheckpointTables::open(files, options.checkpoint);
  if (!tables.ok()) return complain(tables.error(), console);
  say_notes(*tables, console);
  if (options.tables.empty()) {
    for (const auto& spec : tables->manifest().tables) options.tables.push_back(spec.name);
  }
  if (const Status made = files.create_dirs(options.out); !made.ok()) return complain(made.error(), console);
  for (const auto& name : options.tables) {
    const auto table = tables->table(name);
    if (!table.ok()) return complain(table.error(), console);
    const TableRows rows = rows_of(*tables, *table);
    const std::size_t dim = tables->spec(*table).dim;
    const std::string path = fmt::format("{}/{}.{}", options.out, file_name(name), options.format);
    const Status written =
        options.format == "npz" ? write_npz(files, path, rows, dim) : write_tsv(files, path, rows, dim);
    if (!written.ok()) {
      (void)files.remove(path);  // what is there would read as a table with fewer rows
      return complain(written.error(), console);
    }
    console.out << fmt::format("{}: {} rows of {} floats\n", path, rows.keys.size(), dim);
  }
  return kExitOk;
}

}  // namespace

void add_export(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a checkpoint's tables as npz or TSV");
  command
      ->add_option("checkpoint", options->checkpoint,
                   "A checkpoint, or a folder of them (its best, else newest)")
      ->required();
  command->add_option("--out", options->out, "The folder to write to")->required();
  command->add_option("--format", options->format, "npz (arrays keys and weights) or tsv")
      ->check(CLI::IsMember({"npz", "tsv"}))
      ->capture_default_str();
  command->add_option("--table", options->tables, "Only this table (may be repeated)");
  command->footer("Example: capstan export out/movielens/checkpoints --out tables --format tsv");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
