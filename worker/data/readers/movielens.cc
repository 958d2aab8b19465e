#include "worker/data/readers/movielens.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "common/text.h"
#include "worker/data/raw_table.h"
#include "worker/data/readers/read_files.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

// In the order of the flags in u.item; see the README of ml-100k.
constexpr std::string_view kGenres[] = {"unknown",   "Action",   "Adventure",   "Animation", "Children",
                                        "Comedy",    "Crime",    "Documentary", "Drama",     "Fantasy",
                                        "Film-Noir", "Horror",   "Musical",     "Mystery",   "Romance",
                                        "Sci-Fi",    "Thriller", "War",         "Western"};

FileFormat separated(std::string delimiter, bool header, std::vector<std::string> columns) {
  FileFormat format;
  format.delimiter = std::move(delimiter);
  format.header = header;
  format.quotes = format.delimiter == ",";
  format.columns = std::move(columns);
  format.maybe_latin1 = true;
  return format;
}

std::vector<MovielensLayout> known_layouts() {
  const std::vector<std::string> events = {"user", "item", "rating", "time"};
  const std::vector<std::string> items = {"item", "title", "genres"};
  std::vector<std::string> flags = {"item", "title", "released", "video", "url"};
  for (const auto genre : kGenres) flags.emplace_back(genre);
  const FileFormat users_100k = separated("|", false, {"user", "age", "gender", "occupation", "zip"});
  const FileFormat users_1m = separated("::", false, {"user", "gender", "age", "occupation", "zip"});
  return {
      {"ml-latest",
       "ratings.csv",
       "movies.csv",
       separated(",", true, events),
       separated(",", true, items),
       "",
       {}},
      {"ml-100k", "u.data", "u.item", separated("\t", false, events), separated("|", false, flags), "u.user",
       users_100k},
      {"ml-1m", "ratings.dat", "movies.dat", separated("::", false, events), separated("::", false, items),
       "users.dat", users_1m},
  };
}

// The path of `name` or of its compressed form in the folder; empty when neither is there.
std::string present(const fs::path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz", ".zst"}) {
    std::error_code error;
    const fs::path path = folder / (name + ending);
    if (fs::is_regular_file(path, error)) return path.string();
  }
  return "";
}

std::string contents(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) return "nothing";
  constexpr std::size_t kShown = 12;
  const bool more = names.size() > kShown;
  names.resize(std::min(names.size(), kShown));
  return join(names, ", ") + (more ? ", …" : "");
}

}  // namespace

Result<MovielensLayout> find_movielens(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("{}: no such folder; data.train must name a MovieLens folder", folder));
  }
  std::vector<std::string> looked_for;
  for (auto& layout : known_layouts()) {
    looked_for.push_back(fmt::format("{} + {} ({})", layout.events_path, layout.items_path, layout.name));
    const std::string events = present(folder, layout.events_path);
    const std::string items = present(folder, layout.items_path);
    if (events.empty() || items.empty()) continue;
    layout.events_path = events;
    layout.items_path = items;
    if (!layout.users_path.empty()) layout.users_path = present(folder, layout.users_path);
    return layout;
  }
  return make_error(
      ErrorCode::kNotFound,
      fmt::format("{}: no MovieLens layout; looked for {}, each also .gz or .zst; the folder holds {}",
                  folder, join(looked_for, " or "), contents(folder)));
}

Result<RawTable> read_movielens_items(const MovielensLayout& layout, BadLines& bad) {
  CAPSTAN_ASSIGN(RawTable table, read_files(std::span(&layout.items_path, 1), layout.items, bad));
  if (table.find("genres")) return table;
  TextColumn genres;
  const std::size_t first = *table.find("unknown");
  for (std::uint64_t row = 0; row < table.rows(); ++row) {
    std::vector<std::string> of_row;
    for (std::size_t g = 0; g < std::size(kGenres); ++g) {
      if (table.columns[first + g][row] == "1") of_row.emplace_back(kGenres[g]);
    }
    genres.push(join(of_row, "|"));
  }
  table.names.resize(2);
  table.columns.resize(2);
  table.add_column("genres", std::move(genres));
  return table;
}

}  // namespace capstan
