/* fuzz_curl.c - a curl command line, and the document that is made of it. */
#include "fuzz.h"
#include "casehook_init_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *quiet;
    struct arguments arguments = {.operation = 0};
    struct curl_command command;
    struct trouble trouble = {0};
    char *text = malloc(size + 1);
    if (!quiet) quiet = freopen("/dev/null", "w", stderr); /* it says what it guesses */
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    /* Files of this machine are not for reading. */
    if (!command_read(text, &command, &trouble) && !command.ca && !command.cert && !command.key) {
        json_t *document = request_document(&arguments, &command, &trouble);
        if (!document != !!trouble.status) abort();
        json_decref(document);
    }
    command_free(&command);
    free(text);
    return 0;
}
