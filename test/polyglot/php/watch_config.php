<?php
/**
 * Holds a session with an ephemeral znode of its own, and follows a znode until that is deleted, over plain HTTP: no threads,
 * no extension, nothing but polls. Each poll bears the session, which renews it.
 *
 *     php watch_config.php http://localhost:8080,http://localhost:8081 /config /members/me
 *
 * It prints every change once, in order, whatever happens to gateways and leaders meanwhile.
 */
declare(strict_types=1);

final class Quorate
{
    private int $at = 0;
    public string $session = '';

    /** @param list<string> $doors several gateways; whoever meets one that is gone goes on to the next */
    public function __construct(private array $doors)
    {
    }

    /** Only for what may be done twice. Answers the JSON of the first answer that another try would not better. */
    public function ask(string $method, string $path, string $body = '', string $type = 'application/octet-stream'): array
    {
        $headers = ["Content-Type: $type"];
        if ($this->session !== '') {
            $headers[] = "Quorate-Session: {$this->session}";
        }
        // Longer than a poll of this session takes: those are answered within a third of its timeout.
        $http = ['method' => $method, 'header' => $headers, 'content' => $body, 'timeout' => 4, 'ignore_errors' => true];
        $end = microtime(true) + 30;
        do {
            $http_response_header = [];
            $url = $this->doors[$this->at % count($this->doors)] . $path;
            $answer = @file_get_contents($url, false, stream_context_create(['http' => $http]));
            $status = (int) (explode(' ', $http_response_header[0] ?? 'none 0')[1]);
            if ($answer !== false && $status > 0 && $status < 500 && $status !== 429) {
                if ($status >= 400) {
                    throw new RuntimeException("$status $answer");
                }
                return json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
            }
            $this->at++;
            usleep(100_000);
        } while (microtime(true) < $end);
        throw new RuntimeException("$method $path: no answer");
    }
}

function main(string $endpoints, string $watched, string $member): void
{
    $quorate = new Quorate(explode(',', $endpoints));
    $wanted = json_encode(['timeout' => '6s', 'name' => 'php']);
    $session = $quorate->ask('POST', '/v1/sessions', $wanted, 'application/json');
    $quorate->session = "{$session['id']}:{$session['secret']}";
    echo "session {$session['id']}\n";

    // A put of one's own ephemeral may be repeated.
    $quorate->ask('PUT', "/v1/znodes$member?ephemeral=true");
    echo "member $member\n";

    $query = '/v1/watch?node=' . rawurlencode($watched);
    $cursor = $quorate->ask('GET', $query)['cursor'];
    echo "watching $watched\n";
    for ($there = true; $there;) {
        // An answer of 410 says that the session is over; ask() throws it.
        $poll = $quorate->ask('GET', "$query&wait=30s&after=$cursor");
        foreach ($poll['events'] as $event) {
            echo "{$event['type']} {$event['version']} {$event['zxid']}\n";
            $there = $event['type'] !== 'deleted';
        }
        $cursor = $poll['cursor'];
    }

    $quorate->ask('DELETE', "/v1/sessions/{$session['id']}");
    echo "closed\n";
}

main(...array_slice($argv, 1));
