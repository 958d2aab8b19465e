#include "common/storage.h"

namespace capstan {

Status publish_by_rename(Storage& storage, const std::string& path, std::span<const std::byte> bytes) {
  const std::string beside = path + ".tmp";
  CAPSTAN_ASSIGN(auto file, storage.create(beside));
  CAPSTAN_TRY(file->append(bytes));
  CAPSTAN_TRY(file->sync());
  CAPSTAN_TRY(file->close());
  CAPSTAN_TRY(storage.rename(beside, path));
  const auto slash = path.rfind('/');
  return storage.sync_dir(slash == std::string::npos ? "." : path.substr(0, slash));
}

bool is_unreachable(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kRefused ||
         error.code == ErrorCode::kTimeout;
}

}  // namespace capstan
