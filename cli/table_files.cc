#include "cli/table_files.h"

#include <spdlog/fmt/fmt.h>

#include <cstring>

#include "worker/npz/npz_writer.h"

namespace capstan {
namespace {

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
    widen(tables.spec(table).dtype, bytes.data(), dim, rows.weights.data() + rows.weights.size() - dim);
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

}  // namespace

std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool plain =
        static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != '%' && !(c == '.' && name.empty());
    name += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return name;
}

Result<std::uint64_t> write_table(Storage& storage, const std::string& path, const std::string& format,
                                  const CheckpointTables& tables, std::uint32_t table) {
  const TableRows rows = rows_of(tables, table);
  const std::size_t dim = tables.spec(table).dim;
  const Status written =
      format == "npz" ? write_npz(storage, path, rows, dim) : write_tsv(storage, path, rows, dim);
  if (written.ok()) return std::uint64_t{rows.keys.size()};
  (void)storage.remove(path);  // what is there would read as a table with fewer rows
  return written.error();
}

}  // namespace capstan
