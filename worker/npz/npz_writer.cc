#include "worker/npz/npz_writer.h"

#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "common/bytes.h"

namespace capstan {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kZip64End = 0x06064b50;
constexpr std::uint32_t kZip64Locator = 0x07064b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint16_t kVersion45 = 45;  // the first with zip64
constexpr std::uint32_t kInExtra = 0xffffffff;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kDosDate = 0x0021;  // 1980-01-01: the same bytes whenever it is written

// The magic, the version, the header's length and a dictionary padded so that the data starts at a multiple
// of 64.
std::string npy_header(const std::string& type, const std::string& shape) {
  std::string dictionary =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  constexpr std::size_t kPrefix = 10;
  const std::size_t unpadded = kPrefix + dictionary.size() + 1;
  dictionary.append((64 - unpadded % 64) % 64, ' ');
  dictionary += '\n';
  const auto length = static_cast<std::uint16_t>(dictionary.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + dictionary;
}

std::uint32_t crc_of(std::uint32_t crc, std::span<const std::byte> bytes) {
  constexpr std::size_t kPiece = 1U << 30;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    crc = static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size())));
  }
  return crc;
}

void put_text(ByteWriter& out, const std::string& text) {
  for (const char c : text) out.put(c);
}

// What the headers before an entry and in the directory have in common; sizes stand in the extra field.
void put_common(ByteWriter& out, std::uint32_t crc, std::size_t name_bytes, std::uint16_t extra_bytes) {
  out.put(kVersion45);
  out.put(std::uint16_t{0});  // flags
  out.put(std::uint16_t{0});  // stored
  out.put(std::uint16_t{0});  // time
  out.put(kDosDate);
  out.put(crc);
  out.put(kInExtra);
  out.put(kInExtra);
  out.put(static_cast<std::uint16_t>(name_bytes));
  out.put(extra_bytes);
}

}  // namespace

Result<NpzWriter> NpzWriter::create(Storage& storage, const std::string& path) {
  NpzWriter writer;
  CAPSTAN_ASSIGN(writer.file_, storage.create(path));
  return writer;
}

NpzWriter NpzWriter::in_memory() {
  return {};
}

Status NpzWriter::write(std::span<const std::byte> bytes) {
  offset_ += bytes.size();
  if (file_ != nullptr) return file_->append(bytes);
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return ok_status();
}

Status NpzWriter::add(const std::string& name, std::span<const std::uint64_t> values) {
  return add_array(name, "<u8", fmt::format("({},)", values.size()), std::as_bytes(values));
}

Status NpzWriter::add(const std::string& name, std::span<const float> values, std::size_t columns) {
  return add_array(name, "<f4", fmt::format("({}, {})", values.size() / columns, columns),
                   std::as_bytes(values));
}

Status NpzWriter::add(const std::string& name, std::span<const float> values) {
  return add_array(name, "<f4", fmt::format("({},)", values.size()), std::as_bytes(values));
}

Status NpzWriter::add(const std::string& name, const std::vector<std::string>& texts) {
  std::size_t width = 1;
  for (const auto& text : texts) width = std::max(width, text.size());
  std::string all;
  all.reserve(width * texts.size());
  for (const auto& text : texts) all += text + std::string(width - text.size(), '\0');
  return add_array(name, fmt::format("|S{}", width), fmt::format("({},)", texts.size()),
                   std::as_bytes(std::span(all)));
}

Status NpzWriter::add_array(const std::string& name, const std::string& type, const std::string& shape,
                            std::span<const std::byte> bytes) {
  const std::string header = npy_header(type, shape);
  const auto header_bytes = std::as_bytes(std::span(header));
  Entry entry{name + ".npy", crc_of(crc_of(0, header_bytes), bytes), header.size() + bytes.size(), offset_};
  ByteWriter out;
  out.put(kLocalHeader);
  put_common(out, entry.crc, entry.name.size(), 20);
  put_text(out, entry.name);
  out.put(kZip64Extra);
  out.put(std::uint16_t{16});
  out.put(entry.size);
  out.put(entry.size);
  CAPSTAN_TRY(write(out.take().bytes()));
  CAPSTAN_TRY(write(header_bytes));
  entries_.push_back(std::move(entry));
  return write(bytes);
}

Status NpzWriter::finish() {
  const std::uint64_t directory = offset_;
  for (const auto& entry : entries_) {
    ByteWriter out;
    out.put(kCentralHeader);
    out.put(kVersion45);  // made by
    put_common(out, entry.crc, entry.name.size(), 28);
    for (int i = 0; i < 3; ++i) out.put(std::uint16_t{0});  // comment, disk, internal attributes
    out.put(std::uint32_t{0});
    out.put(kInExtra);
    put_text(out, entry.name);
    out.put(kZip64Extra);
    out.put(std::uint16_t{24});
    out.put(entry.size);
    out.put(entry.size);
    out.put(entry.offset);
    CAPSTAN_TRY(write(out.take().bytes()));
  }
  const std::uint64_t end = offset_;
  ByteWriter out;
  out.put(kZip64End);
  out.put(std::uint64_t{44});
  out.put(kVersion45);
  out.put(kVersion45);
  out.put(std::uint64_t{0});  // disks
  out.put(static_cast<std::uint64_t>(entries_.size()));
  out.put(static_cast<std::uint64_t>(entries_.size()));
  out.put(end - directory);
  out.put(directory);
  out.put(kZip64Locator);
  out.put(std::uint32_t{0});
  out.put(end);
  out.put(std::uint32_t{1});
  out.put(kEnd);
  out.put(std::uint32_t{0});
  out.put(std::uint16_t{0xffff});
  out.put(std::uint16_t{0xffff});
  out.put(kInExtra);
  out.put(kInExtra);
  out.put(std::uint16_t{0});
  CAPSTAN_TRY(write(out.take().bytes()));
  if (file_ == nullptr) return ok_status();
  CAPSTAN_TRY(file_->sync());
  return file_->close();
}

Buffer NpzWriter::take() {
  offset_ = 0;
  entries_.clear();
  return Buffer::adopt(std::exchange(bytes_, {}));
}

}  // namespace capstan
