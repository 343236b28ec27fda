#include "backends/local/report_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_read = std::size_t{256} << 10;
constexpr int k_reads = 4;

}  // namespace

ReportFile::ReportFile(std::string path, PackWriter& packs, const TaskName& task, std::uint32_t attempt,
                       std::shared_ptr<const MaskPatterns> masks)
    : path_(std::move(path)), recorder_(packs, task, attempt), masks_(std::move(masks)) {
    begin_masking();
}

void ReportFile::begin_masking() {
    if (masks_) {
        masker_ = std::make_unique<Masker>(masks_);
    }
}

void ReportFile::take(std::string_view bytes, Timestamp now) {
    if (!masker_) {
        recorder_.add(bytes, now);
        return;
    }
    std::string masked;
    masker_->add(bytes, masked);
    recorder_.add(masked, now);
}

bool ReportFile::read_some(Timestamp now) {
    const UniqueFd file(open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat info {};
    if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        irregular_ = irregular_ || file || errno == ELOOP || errno == ENXIO;
        return false;
    }
    const bool replaced = info.st_ino != inode_ && inode_ != 0;
    if (replaced || static_cast<std::uint64_t>(info.st_size) < offset_) {
        offset_ = 0;
        recorder_.begin_again();
        begin_masking();
    }
    inode_ = info.st_ino;
    std::string buffer(static_cast<std::size_t>(std::clamp<std::int64_t>(
                           info.st_size - static_cast<std::int64_t>(offset_), 1, k_read)),
                       '\0');
    for (int i = 0; i < k_reads && recorder_.wants_more(); ++i) {
        const ssize_t n = pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset_));
        if (n <= 0) {
            return n < 0 && errno == EINTR;
        }
        offset_ += static_cast<std::uint64_t>(n);
        take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)), now);
    }
    return recorder_.wants_more();
}

void ReportFile::finish(Timestamp now) {
    while (read_some(now)) {
    }
    if (masker_) {
        std::string masked;
        masker_->finish(masked);
        recorder_.add(masked, now);
    }
    recorder_.finish(now);
}

std::vector<std::string> ReportFile::remarks() const {
    std::vector<std::string> remarks = recorder_.remarks();
    if (irregular_) {
        remarks.insert(remarks.begin(), "$AMP_TASK_DIR/report is no regular file, and was not read");
    }
    return remarks;
}

}  // namespace amp
