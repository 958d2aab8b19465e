#include "common/storage.h"

namespace capstan {

Status write_atomically(Storage& storage, const std::string& path, std::span<const std::byte> bytes) {
  CAPSTAN_ASSIGN(const bool replaceable, storage.replaceable(path));
  if (!replaceable) {
    CAPSTAN_ASSIGN(auto file, storage.create(path));
    CAPSTAN_TRY(file->append(bytes));
    return file->close();
  }
  const std::string beside = path + ".tmp";
  CAPSTAN_ASSIGN(auto file, storage.create(beside));
  CAPSTAN_TRY(file->append(bytes));
  CAPSTAN_TRY(file->sync());
  CAPSTAN_TRY(file->close());
  CAPSTAN_TRY(storage.rename(beside, path));
  const auto slash = path.rfind('/');
  return storage.sync_dir(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace capstan
