// `capstan export`: a checkpoint for other programs: its tables as npz or TSV, its net as ONNX.
#include <spdlog/fmt/fmt.h>

#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/net_files.h"
#include "cli/offline_job.h"
#include "cli/table_files.h"

namespace capstan {
namespace {

struct ExportOptions {
  std::string checkpoint;
  std::string out;
  std::string format = "npz";
  std::vector<std::string> tables;
  bool onnx = false;
  std::uint32_t examples = 100;
};

Status write_tables(Storage& files, const std::string& folder, const std::string& format,
                    const CheckpointTables& tables, const std::vector<std::string>& names, Console console) {
  CAPSTAN_TRY(files.create_dirs(folder));
  for (const auto& name : names) {
    CAPSTAN_ASSIGN(const std::uint32_t table, tables.table(name));
    const std::string path = fmt::format("{}/{}.{}", folder, file_name(name), format);
    CAPSTAN_ASSIGN(const std::uint64_t rows, write_table(files, path, format, tables, table));
    console.out << fmt::format("{}: {} rows of {} floats\n", path, rows, tables.spec(table).dim);
  }
  return ok_status();
}

std::vector<std::string> names_of(const CheckpointTables& tables, bool dense) {
  std::vector<std::string> names;
  for (const auto& spec : tables.manifest().tables) {
    if (dense || !spec.dense) names.push_back(spec.name);
  }
  return names;
}

Status write_all(const ExportOptions& options, Console console) {
  AnyStorage files;
  CAPSTAN_ASSIGN(const CheckpointTables tables, CheckpointTables::open(files, options.checkpoint));
  say_notes(tables, console);
  const auto& names = options.tables;
  return write_tables(files, options.out, options.format, tables,
                      names.empty() ? names_of(tables, true) : names, console);
}

// The layers of the net are in the net.
Status write_net_and_tables(const ExportOptions& options, Console console) {
  CAPSTAN_ASSIGN(const auto offline, open_offline_of(options.checkpoint));
  say_notes(*offline->tables, console);
  CAPSTAN_ASSIGN(const NetFiles net, NetFiles::create(*offline));
  const CheckpointTables& tables = *offline->tables;
  CAPSTAN_TRY(write_tables(offline->files, options.out + "/" + kTablesFolder, "npz", tables,
                           names_of(tables, false), console));
  CAPSTAN_ASSIGN(const std::string said, net.write(options.out, options.examples));
  console.out << said;
  return ok_status();
}

int run(const ExportOptions& options, Console console) {
  const Status written = options.onnx ? write_net_and_tables(options, console) : write_all(options, console);
  return written.ok() ? kExitOk : complain(written.error(), console);
}

}  // namespace

void add_export(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write a checkpoint's tables as npz or TSV, its net as ONNX");
  command
      ->add_option("checkpoint", options->checkpoint,
                   "A checkpoint, or a folder of them (its best, else newest)")
      ->required();
  command->add_option("--out", options->out, "The folder to write to")->required();
  auto* format = command->add_option("--format", options->format, "npz (arrays keys and weights) or tsv")
                     ->check(CLI::IsMember({"npz", "tsv"}))
                     ->capture_default_str();
  auto* tables = command->add_option("--table", options->tables, "Only this table (may be repeated)");
  auto* onnx =
      command
          ->add_flag("--onnx", options->onnx,
                     "Write all that serves the model elsewhere: model.onnx, the tables that it reads, "
                     "features.json, which says how they belong together, and examples.npz")
          ->excludes(format)
          ->excludes(tables);
  command
      ->add_option("--examples", options->examples,
                   "How many of the job's examples, with their scores, stand in examples.npz")
      ->needs(onnx)
      ->capture_default_str();
  command->footer(
      "Example: capstan export out/movielens/checkpoints --out tables --format tsv\n"
      "         capstan export out/movielens/checkpoints --out served --onnx");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
