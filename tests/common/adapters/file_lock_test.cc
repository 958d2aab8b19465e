#include "common/adapters/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>

namespace capstan {
namespace {

class FileLockTest : public ::testing::Test {
 protected:
  ~FileLockTest() override { ::unlink(path.c_str()); }
  // A process that holds the lock until it is killed; nothing when it does not get it.
  pid_t holder() const {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      FileLock lock;
      const char got = lock.try_acquire(path).ok() ? 'y' : 'n';
      if (::write(ready[1], &got, 1) == 1) ::pause();
      ::_exit(0);
    }
    char got = 'n';
    EXPECT_EQ(::read(ready[0], &got, 1), 1);
    EXPECT_EQ(got, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  }

  std::string path = ::testing::TempDir() + "capstan_file_lock_" + std::to_string(::getpid());
};

TEST_F(FileLockTest, IsOnesAtATime) {
  auto first = std::make_unique<FileLock>();
  ASSERT_TRUE(first->try_acquire(path).ok());
  FileLock second;
  const Status taken = second.try_acquire(path);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kTaken);
  EXPECT_EQ(taken.error().message, "process " + std::to_string(::getpid()) + " holds " + path);
  first.reset();
  EXPECT_TRUE(second.try_acquire(path).ok());
}

TEST_F(FileLockTest, EndsWithItsProcessHoweverThatEnds) {
  const pid_t child = holder();
  FileLock lock;
  const Status taken = lock.try_acquire(path);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().message, "process " + std::to_string(child) + " holds " + path);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(lock.try_acquire(path).ok());
}

TEST_F(FileLockTest, AFileThatNamesNobodyIsHeldByAnotherProcess) {
  FileLock first, second;
  ASSERT_TRUE(first.acquire(path).ok());
  std::ofstream(path, std::ios::trunc) << "";
  EXPECT_EQ(second.try_acquire(path).error().message, "another process holds " + path);
}

TEST_F(FileLockTest, AFolderThatIsNotThereIsNamed) {
  FileLock lock;
  EXPECT_EQ(lock.try_acquire("/nowhere/at/all").error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace capstan
