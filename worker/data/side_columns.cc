#include "worker/data/side_columns.h"

#include <spdlog/fmt/fmt.h>

#include <optional>
#include <span>
#include <unordered_map>

#include "worker/data/bad_lines.h"
#include "worker/data/readers/movielens.h"
#include "worker/data/readers/read_files.h"
#include "worker/data/sources.h"

namespace capstan {
namespace {

Result<std::vector<std::string>> aligned(const std::optional<RawTable>& table, const std::string& key,
                                         const std::vector<std::string>& names, std::string_view column,
                                         std::string_view whose) {
  if (!table) {
    return make_error(ErrorCode::kInvalid, fmt::format("the data has no file of {0} (data.{0}) with a column "
                                                       "'{1}'",
                                                       whose, column));
  }
  CAPSTAN_ASSIGN(const TextColumn* keys, table->column(key));
  CAPSTAN_ASSIGN(const TextColumn* texts, table->column(column));
  std::unordered_map<std::string_view, std::uint64_t> rows;
  for (std::uint64_t row = 0; row < table->rows(); ++row) rows[(*keys)[row]] = row;
  std::vector<std::string> result;
  for (const std::string& name : names) {
    const auto found = rows.find(name);
    result.emplace_back(found == rows.end() ? std::string_view() : (*texts)[found->second]);
  }
  return result;
}

// MovieLens folders that have a file of users are read like others, though the events do not need it.
Status add_movielens_users(Sources& sources, BadLines& bad) {
  if (sources.data.format != DataFormat::kMovielens || sources.users) return ok_status();
  CAPSTAN_ASSIGN(const MovielensLayout layout, find_movielens(sources.data.train.front()));
  if (layout.users_path.empty()) return ok_status();
  CAPSTAN_ASSIGN(sources.users, read_files(std::span(&layout.users_path, 1), layout.users, bad));
  sources.data.user_key = "user";
  return ok_status();
}

Result<Sources> read_sources(const JobConfig& job) {
  BadLines bad(job.data.max_bad_lines, "");
  CAPSTAN_ASSIGN(Sources sources, load_sources(job, bad));
  CAPSTAN_TRY(add_movielens_users(sources, bad));
  return sources;
}

}  // namespace

Result<std::vector<std::string>> user_column(const JobConfig& job, const Dataset& data,
                                             std::string_view column) {
  CAPSTAN_ASSIGN(const Sources sources, read_sources(job));
  return aligned(sources.users, sources.data.user_key, data.user_names, column, "users");
}

Result<std::vector<std::string>> item_column(const JobConfig& job, const Dataset& data,
                                             std::string_view column) {
  CAPSTAN_ASSIGN(const Sources sources, read_sources(job));
  return aligned(sources.items, sources.data.item_key, data.item_names, column, "items");
}

}  // namespace capstan
