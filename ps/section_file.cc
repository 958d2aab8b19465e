#include "ps/section_file.h"

#include <spdlog/fmt/fmt.h>

#include "common/hash.h"

namespace capstan {

Result<Buffer> read_section(Storage& storage, const std::string& directory, const ShardSection& section) {
  const std::string path = directory + "/" + section.file;
  CAPSTAN_ASSIGN(Buffer bytes, storage.read_range(path, section.offset, section.length));
  if (hash_bytes(bytes.bytes()) != section.checksum) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("{}: shard {} at byte {} is damaged", path, section.shard, section.offset));
  }
  return bytes;
}

}  // namespace capstan
