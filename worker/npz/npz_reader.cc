#include "worker/npz/npz_reader.h"

#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include <cstring>
#include <optional>

#include "common/text.h"

namespace capstan {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint32_t kInExtra = 0xffffffff;
constexpr std::uint16_t kZip64Extra = 1;

template <typename T>
std::optional<T> number_at(const Buffer& bytes, std::uint64_t at) {
  T value{};
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

Error corrupt(const std::string& what) {
  return make_error(ErrorCode::kCorrupt, "not an uncompressed npz: " + what);
}

// The text behind 'key': in an npy header's dictionary, up to the next comma outside of brackets.
std::string entry_of(std::string_view dictionary, std::string_view key) {
  const auto at = dictionary.find(key);
  if (at == std::string_view::npos) return "";
  std::string text;
  int depth = 0;
  for (const char c : dictionary.substr(at + key.size())) {
    if (depth == 0 && (c == ',' || c == '}')) break;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ' ' && c != ':' && c != '\'') text += c;
  }
  return text;
}

// Values of a shape "(3,2)"; nothing when it is none, or has too many.
std::optional<std::uint64_t> count_of(std::string_view shape) {
  if (shape.size() < 2 || shape.front() != '(' || shape.back() != ')') return std::nullopt;
  std::uint64_t count = 1;
  for (const auto side : split_text(shape.substr(1, shape.size() - 2), ",")) {
    if (side.empty()) continue;
    const auto length = parse_uint(side);
    if (!length || __builtin_mul_overflow(count, *length, &count)) return std::nullopt;
  }
  return count;
}

std::optional<std::uint64_t> width_of(std::string_view type) {
  if (type.size() < 3 || (type[0] != '<' && type[0] != '|')) return std::nullopt;
  const auto width = parse_uint(type.substr(2));
  if (!width || *width == 0) return std::nullopt;
  return *width;
}

// The size of an entry whose header has none: in the first zip64 field.
std::optional<std::uint64_t> zip64_size(const Buffer& zip, std::uint64_t extra, std::uint64_t end) {
  while (extra + 4 <= end) {
    const auto kind = number_at<std::uint16_t>(zip, extra), bytes = number_at<std::uint16_t>(zip, extra + 2);
    if (!kind || !bytes) return std::nullopt;
    if (*kind == kZip64Extra) return number_at<std::uint64_t>(zip, extra + 4);
    extra += 4ULL + *bytes;
  }
  return std::nullopt;
}

}  // namespace

Result<NpzReader::Array> NpzReader::read_npy(const Buffer& npy) {
  constexpr std::size_t kPrefix = 10;
  const auto length = number_at<std::uint16_t>(npy, 8);
  if (!length || !npy.text().starts_with("\x93NUMPY\x01") || npy.size() - kPrefix < *length) {
    return corrupt("an array without an npy header of version 1");
  }
  const std::string_view dictionary = npy.text().substr(kPrefix, *length);
  Array array;
  array.type = entry_of(dictionary, "'descr'");
  const auto count = count_of(entry_of(dictionary, "'shape'"));
  const auto width = width_of(array.type);
  if (!count || !width || entry_of(dictionary, "'fortran_order'") != "False")
    return corrupt("an array of a type or order that is not read");
  const std::uint64_t bytes = npy.size() - kPrefix - *length;
  if (*count > bytes / *width) return corrupt("an array that is cut off");
  array.count = *count;
  array.data = npy.slice(kPrefix + *length, *count * *width);
  return array;
}

Result<NpzReader> NpzReader::open(Buffer bytes) {
  NpzReader reader;
  std::uint64_t at = 0;
  while (number_at<std::uint32_t>(bytes, at) == kLocalHeader) {
    const auto method = number_at<std::uint16_t>(bytes, at + 8);
    const auto crc = number_at<std::uint32_t>(bytes, at + 14);
    const auto short_size = number_at<std::uint32_t>(bytes, at + 18);
    const auto name_length = number_at<std::uint16_t>(bytes, at + 26);
    const auto extra_length = number_at<std::uint16_t>(bytes, at + 28);
    if (!method || !short_size || !name_length || !extra_length) return corrupt("a header that is cut off");
    if (*method != 0) return corrupt("a compressed entry");
    const std::uint64_t extra = at + kLocalBytes + *name_length, data = extra + *extra_length;
    const auto size =
        *short_size == kInExtra ? zip64_size(bytes, extra, data) : std::optional<std::uint64_t>(*short_size);
    if (!size || data > bytes.size() || bytes.size() - data < *size)
      return corrupt("an entry that is cut off");
    const auto* begin = reinterpret_cast<const Bytef*>(bytes.data() + data);
    if (crc32_z(0, begin, *size) != *crc) return corrupt("an entry that does not match its checksum");
    std::string name(bytes.text().substr(at + kLocalBytes, *name_length));
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    CAPSTAN_ASSIGN(reader.arrays_[name], read_npy(bytes.slice(data, *size)));
    at = data + *size;
  }
  if (number_at<std::uint32_t>(bytes, at) != kCentralHeader) return corrupt("no directory behind the arrays");
  return reader;
}

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays_) names.push_back(name);
  return names;
}

Result<const NpzReader::Array*> NpzReader::find(const std::string& name, const std::string& kind) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) return make_error(ErrorCode::kNotFound, fmt::format("no array \"{}\"", name));
  if (!found->second.type.starts_with(kind)) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("array \"{}\" is of type {}, not {}", name, found->second.type, kind));
  }
  return &found->second;
}

Result<std::vector<float>> NpzReader::floats(const std::string& name) const {
  CAPSTAN_ASSIGN(const Array* array, find(name, "<f4"));
  std::vector<float> values(array->count);
  if (!values.empty()) std::memcpy(values.data(), array->data.data(), array->count * sizeof(float));
  return values;
}

Result<std::vector<std::string>> NpzReader::texts(const std::string& name) const {
  CAPSTAN_ASSIGN(const Array* array, find(name, "|S"));
  const std::size_t width = array->count == 0 ? 0 : array->data.size() / array->count;
  std::vector<std::string> values;
  values.reserve(array->count);
  for (std::uint64_t i = 0; i < array->count; ++i) {
    const std::string_view cell = array->data.text().substr(i * width, width);
    values.emplace_back(cell.substr(0, cell.find_last_not_of('\0') + 1));
  }
  return values;
}

}  // namespace capstan
