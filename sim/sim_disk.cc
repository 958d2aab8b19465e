#include "sim/sim_disk.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {
namespace {

Error disk_error(ErrorCode code, std::string_view attempted, const std::string& path,
                 std::string_view reason) {
  return make_error(code, fmt::format("{} {}: {}", attempted, path, reason));
}
Error absent(std::string_view attempted, const std::string& path) {
  return disk_error(ErrorCode::kNotFound, attempted, path, "No such file or directory");
}

std::string clean(const std::string& path) {
  std::string result;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (!result.empty()) result += '/';
    result += part;
  }
  return result;
}

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool inside(const std::string& path, const std::string& dir) {
  return dir.empty() || (path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/');
}

}  // namespace

bool SimDisk::is_dir(const Names& names, const std::string& path) {
  return path.empty() || names.dirs.contains(path);
}

void SimDisk::apply(Names& names, const Change& change) {
  const auto remove = [&](const std::string& path) {
    names.files.erase(path);
    names.dirs.erase(path);
    std::erase_if(names.files, [&](const auto& entry) { return inside(entry.first, path); });
    std::erase_if(names.dirs, [&](const auto& dir) { return inside(dir, path); });
  };
  if (change.kind == ChangeKind::kRemove) return remove(change.path);
  if (change.file) {
    if (change.kind == ChangeKind::kRename) names.files.erase(change.from);
    names.files[change.path] = change.file;
    return;
  }
  Names moved;
  for (const auto& [path, file] : names.files) {
    if (inside(path, change.from)) moved.files[change.path + path.substr(change.from.size())] = file;
  }
  for (const auto& dir : names.dirs) {
    if (dir == change.from || inside(dir, change.from))
      moved.dirs.insert(change.path + dir.substr(change.from.size()));
  }
  remove(change.from);
  names.files.merge(moved.files);
  names.dirs.merge(moved.dirs);
}

void SimDisk::change(Change change) {
  apply(current_, change);
  pending_.push_back(std::move(change));
}

Result<SimDisk::FilePtr> SimDisk::find(const std::string& path) const {
  const auto found = current_.files.find(clean(path));
  if (found != current_.files.end()) return found->second;
  if (is_dir(current_, clean(path))) return disk_error(ErrorCode::kIo, "read", path, "Is a directory");
  return absent("read", path);
}

Result<SimDisk::FilePtr> SimDisk::open(NodeIndex node, const std::string& path, bool truncate) {
  const std::string name = clean(path);
  if (is_dir(current_, name)) return disk_error(ErrorCode::kIo, "create", path, "Is a directory");
  if (!is_dir(current_, parent(name))) return absent("create", path);
  const auto found = current_.files.find(name);
  if (found != current_.files.end() && !truncate) return found->second;
  auto file = std::make_shared<File>();
  file->writer = node;
  change({ChangeKind::kLink, name, "", file, node});
  return file;
}

std::uint64_t SimDisk::free_for(const std::string& path) const {
  if (capacity_ == ~std::uint64_t{0} || !faulty(path)) return ~std::uint64_t{0};
  std::uint64_t taken = 0;
  for (const auto& [name, file] : current_.files) taken += file->bytes.size() + file->reserved;
  return capacity_ > taken ? capacity_ - taken : 0;
}

Buffer SimDisk::read(const std::string& path, std::span<const std::byte> bytes) {
  if (!faulty(path) || bytes.empty() || rotten_reads_ == 0) return Buffer::copy_of(bytes);
  --rotten_reads_;
  std::vector<std::byte> rotten(bytes.begin(), bytes.end());
  rotten[rng_.below(rotten.size())] ^= std::byte{1} << rng_.below(8);
  return Buffer::copy_of(std::span<const std::byte>(rotten));
}

Status SimDisk::append(NodeIndex node, const std::string& path, File& file,
                       std::span<const std::byte> bytes) {
  if ((failing_writes_ > 0 && faulty(path)) ||
      (faults_ && options_.write_failure > 0 && rng_.chance(options_.write_failure))) {
    failing_writes_ -= failing_writes_ > 0 ? 1 : 0;
    return disk_error(ErrorCode::kIo, "write", path, "Input/output error");
  }
  const std::size_t own = std::min<std::uint64_t>(bytes.size(), file.reserved);
  const std::size_t room = own + std::min<std::uint64_t>(bytes.size() - own, free_for(path));
  file.writer = node;
  file.reserved -= own;
  file.bytes.insert(file.bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(room));
  if (room < bytes.size()) return disk_error(ErrorCode::kNoSpace, "write", path, "No space left on device");
  return ok_status();
}

Status SimDisk::reserve(const std::string& path, File& file, std::uint64_t bytes) const {
  if (bytes <= file.reserved) return ok_status();
  if (bytes - file.reserved > free_for(path)) {
    return disk_error(ErrorCode::kNoSpace, "set room aside behind", path, "No space left on device");
  }
  file.reserved = bytes;
  return ok_status();
}

Status SimDisk::sync(const std::string& path, File& file) {
  if ((failing_syncs_ > 0 && faulty(path)) ||
      (faults_ && options_.sync_failure > 0 && rng_.chance(options_.sync_failure))) {
    failing_syncs_ -= failing_syncs_ > 0 ? 1 : 0;
    file.sync_failed = true;
    return disk_error(ErrorCode::kIo, "sync", path, "Input/output error");
  }
  if (!file.sync_failed) file.synced = file.bytes.size();
  return ok_status();
}

Status SimDisk::rename(NodeIndex node, const std::string& from, const std::string& to) {
  const std::string source = clean(from), target = clean(to);
  const auto file = current_.files.find(source);
  const bool directory = !source.empty() && is_dir(current_, source);
  const std::string both = from + " to " + to;
  if ((file == current_.files.end() && !directory) || !is_dir(current_, parent(target)))
    return absent("rename", both);
  if (is_dir(current_, target) || (directory && current_.files.contains(target))) {
    return disk_error(ErrorCode::kIo, "rename", both, "File exists");
  }
  if (source == target) return ok_status();
  change({ChangeKind::kRename, target, source, directory ? nullptr : file->second, node});
  return ok_status();
}

Status SimDisk::remove(NodeIndex node, const std::string& path) {
  if (clean(path).empty() || !exists(path)) return absent("remove", path);
  change({ChangeKind::kRemove, clean(path), "", nullptr, node});
  return ok_status();
}

Status SimDisk::create_dirs(const std::string& path) {
  const std::string name = clean(path);
  if (is_dir(current_, name)) return ok_status();
  CAPSTAN_TRY(create_dirs(parent(name)));
  if (current_.files.contains(name)) {
    return disk_error(ErrorCode::kIo, "create directory", path, "Not a directory");
  }
  current_.dirs.insert(name);
  durable_.dirs.insert(name);
  return ok_status();
}

Status SimDisk::sync_dir(const std::string& path) {
  const std::string dir = clean(path);
  if (!is_dir(current_, dir)) return absent("sync directory", path);
  std::erase_if(pending_, [&](const Change& change) {
    const bool concerned =
        parent(change.path) == dir || (change.kind == ChangeKind::kRename && parent(change.from) == dir);
    if (concerned) apply(durable_, change);
    return concerned;
  });
  return ok_status();
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) const {
  const std::string dir = clean(path);
  if (!is_dir(current_, dir)) return absent("list", path);
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && inside(name, dir) && parent(name) == dir)
      names.push_back(name.substr(name.rfind('/') + 1));
  };
  for (const auto& [name, file] : current_.files) add(name);
  for (const auto& name : current_.dirs) add(name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::map<std::string, std::uint64_t>> SimDisk::sizes(const std::string& path) const {
  const std::string dir = clean(path);
  if (!is_dir(current_, dir)) return absent("list", path);
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [name, file] : current_.files) {
    if (parent(name) == dir) sizes[name.substr(name.rfind('/') + 1)] = file->bytes.size();
  }
  return sizes;
}

bool SimDisk::exists(const std::string& path) const {
  const std::string name = clean(path);
  return current_.files.contains(name) || is_dir(current_, name);
}

void SimDisk::tear(File& file) {
  const std::uint64_t unsynced = file.bytes.size() - file.synced;
  if (unsynced == 0) return;
  file.bytes.resize(file.synced + rng_.below(unsynced + 1));
  const std::uint64_t survived = file.bytes.size() - file.synced;
  if (survived > 0 && rng_.chance(0.25)) {  // the size reached the disk, the last blocks did not
    const auto zeros = static_cast<std::ptrdiff_t>(rng_.below(survived + 1));
    std::fill(file.bytes.end() - zeros, file.bytes.end(), std::byte{0});
  }
  file.synced = file.bytes.size();
  file.sync_failed = false;
}

void SimDisk::crash(NodeIndex node) {
  std::map<std::string, std::uint64_t> changes;  // of this node, by directory
  for (const auto& change : pending_) changes[parent(change.path)] += change.writer == node ? 1 : 0;
  for (auto& [dir, count] : changes) count = rng_.below(count + 1);
  std::vector<Change> of_others;
  for (auto& change : pending_) {
    if (change.writer != node) {
      of_others.push_back(std::move(change));
    } else if (changes[parent(change.path)] > 0) {
      --changes[parent(change.path)];
      apply(durable_, change);
    }
  }
  pending_ = std::move(of_others);
  current_ = durable_;
  for (const auto& change : pending_) apply(current_, change);
  for (auto& [path, file] : current_.files) {
    if (file->writer == node) tear(*file);
  }
  for (auto& [path, file] : durable_.files) {
    if (file->writer == node) tear(*file);
  }
}

}  // namespace capstan
