#include "worker/data/input.h"

#include <glob.h>
#include <spdlog/fmt/fmt.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "worker/data/mapped_file.h"

namespace capstan {
namespace {

constexpr std::size_t kChunk = 1U << 20;

Error broken(const std::string& path, std::string_view kind, std::string_view why) {
  return make_error(ErrorCode::kCorrupt, fmt::format("{}: broken {} stream: {}", path, kind, why));
}

Result<Buffer> gunzip(const std::string& path, std::span<const std::byte> packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return broken(path, "gzip", "no memory");
  const std::unique_ptr<z_stream, void (*)(z_stream*)> owner(&stream, [](z_stream* s) { inflateEnd(s); });
  std::vector<char> text;
  std::size_t filled = 0;
  std::size_t taken = 0;
  int outcome = Z_OK;
  while (taken < packed.size() || outcome != Z_STREAM_END) {
    if (outcome == Z_STREAM_END) inflateReset(&stream);
    if (text.size() - filled < kChunk) text.resize(std::max(text.size() * 2, kChunk * 2));
    const std::size_t give = std::min<std::size_t>(packed.size() - taken, 1U << 30);
    const std::size_t room = std::min<std::size_t>(text.size() - filled, 1U << 30);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + taken));
    stream.avail_in = static_cast<uInt>(give);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    outcome = inflate(&stream, Z_NO_FLUSH);
    taken += give - stream.avail_in;
    filled += room - stream.avail_out;
    if (outcome == Z_BUF_ERROR) return broken(path, "gzip", "the file is cut short");
    if (outcome != Z_OK && outcome != Z_STREAM_END) {
      return broken(path, "gzip", stream.msg != nullptr ? stream.msg : "bad data");
    }
  }
  text.resize(filled);
  return Buffer::adopt(std::move(text));
}

Result<Buffer> unzstd(const std::string& path, std::span<const std::byte> packed) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  std::vector<char> text;
  std::size_t filled = 0;
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::size_t left = 1;
  while (in.pos < in.size || left != 0) {
    if (text.size() - filled < kChunk) text.resize(std::max(text.size() * 2, kChunk * 2));
    ZSTD_outBuffer out{text.data() + filled, text.size() - filled, 0};
    const std::size_t in_before = in.pos;
    left = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return broken(path, "zstd", ZSTD_getErrorName(left));
    if (out.pos == 0 && in.pos == in_before && left != 0)
      return broken(path, "zstd", "the file is cut short");
    filled += out.pos;
  }
  text.resize(filled);
  return Buffer::adopt(std::move(text));
}

bool starts_with(const Buffer& file, std::string_view magic) {
  return file.text().starts_with(magic);
}

// By its byte-order mark, or a first letter of two bytes.
bool is_utf16(const Buffer& file) {
  const std::string_view first = file.text().substr(0, 2);
  return first == "\xff\xfe" || first == "\xfe\xff" || first.find('\0') != std::string_view::npos;
}

}  // namespace

Result<std::vector<std::string>> expand_paths(std::span<const std::string> patterns) {
  std::vector<std::string> paths;
  for (const auto& pattern : patterns) {
    glob_t found{};
    const int outcome = ::glob(pattern.c_str(), 0, nullptr, &found);
    for (std::size_t i = 0; outcome == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (outcome != 0) {
      const bool is_glob = pattern.find_first_of("*?[") != std::string::npos;
      return make_error(ErrorCode::kNotFound, is_glob
                                                  ? fmt::format("no file matches {}", pattern)
                                                  : fmt::format("{}: no such file or directory", pattern));
    }
  }
  return paths;
}

Result<Buffer> load_text(const std::string& path) {
  CAPSTAN_ASSIGN(Buffer text, map_file(path));
  if (starts_with(text, "\x1f\x8b")) {
    CAPSTAN_ASSIGN(text, gunzip(path, text.bytes()));
  } else if (starts_with(text, "\x28\xb5\x2f\xfd")) {
    CAPSTAN_ASSIGN(text, unzstd(path, text.bytes()));
  }
  if (starts_with(text, "\xef\xbb\xbf")) text = text.slice(3, text.size() - 3);
  if (text.empty()) return make_error(ErrorCode::kInvalid, fmt::format("{}: the file is empty", path));
  if (is_utf16(text)) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{0}: the file is UTF-16, not UTF-8: iconv -f UTF-16 -t UTF-8 {0}", path));
  }
  return text;
}

}  // namespace capstan
