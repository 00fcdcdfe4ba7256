/* Runs a fuzz target over a directory of inputs, one after the other, in builds that have no fuzzer: what a fuzzer once found
 * stays tested on every run. The target's own assertions and the sanitizers decide; a directory without inputs is a failure,
 * so that a corpus cannot get lost unseen. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whole content of `path` in a block of exactly its size (so that ASan sees a read behind its end), NULL on failure. */
static uint8_t *read_input(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    struct stat st;
    uint8_t *data = NULL;
    if (fstat(fileno(f), &st) == 0) {
        *ret_size = (size_t)st.st_size;
        data = malloc(*ret_size ? *ret_size : 1);
        if (data && fread(data, 1, *ret_size, f) != *ret_size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

static int replay_file(const char *path)
{
    size_t size = 0;
    uint8_t *data = read_input(path, &size);
    if (!data) {
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
        return -1;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Number of inputs replayed, in order of name; negative on failure. */
static int replay_dir(const char *dir)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, visible, alphasort);
    if (n < 0) {
        fprintf(stderr, "%s: cannot list: %s\n", dir, strerror(errno));
        return -1;
    }
    int bad = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof path || replay_file(path) < 0)
            bad++;
        free(entries[i]);
    }
    free(entries);
    return bad ? -1 : n;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        int n =
            stat(argv[i], &st) == 0 && !S_ISDIR(st.st_mode) ? replay_file(argv[i]) + 1 : replay_dir(argv[i]);
        if (n < 0 || (n == 0 && !S_ISDIR(st.st_mode)))
            return 1;
        total += n;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
