"""What a new store knows of bodies, headers and records before it has seen any: the words of protocols."""

from __future__ import annotations

from typing import Final

# The later something stands, the fewer bytes it takes to refer to it.
FIRST: Final = (
    b"strict-transport-security max-age=31536000; includeSubDomains; preload x-content-type-options nosniff "
    b"access-control-expose-headers X-Request-ID openai-organization openai-processing-ms openai-version 2020-10-01 "
    b"x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests x-ratelimit-remaining-tokens "
    b"x-ratelimit-reset-requests x-ratelimit-reset-tokens x-request-id req_ cf-cache-status DYNAMIC cf-ray alt-svc "
    b'h3=":443"; ma=86400 vary origin, access-control-request-method via 1.1 x-envoy-upstream-service-time '
    b"x-ds-trace-id Set-Cookie [redacted] Cache-Control no-cache Content-Encoding gzip br zstd "
    b"Date Mon, Tue, Wed, Thu, Fri, Sat, Sun, Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec 2026 00:00:00 GMT "
    b"Server cloudflare nginx uvicorn elb Transfer-Encoding chunked Connection keep-alive "
    b"Content-Type text/event-stream; charset=utf-8 application/json Content-Length "
    b'{"error":{"message":"","type":"invalid_request_error","param":null,"code":"rate_limit_exceeded"}} '
    b'"tools":[{"type":"function","function":{"name":"","description":"","parameters":{"type":"object","properties":'
    b'{"query":{"type":"string","description":"The "},"limit":{"type":"integer"},"items":{"type":"array","items":'
    b'{"type":"boolean","enum":["'
    b'"]}}},"required":[""],"additionalProperties":false},"strict":true}}],"tool_choice":"auto" '
    b'{"role":"assistant","content":null,"tool_calls":[{"id":"call_","type":"function","function":{"name":"'
    b'","arguments":"{\\"query\\":\\"\\"}"}}]} {"role":"tool","tool_call_id":"call_","content":"{\\"'
    b'{"role":"system","content":"You are a helpful assistant. '
    b'{"role":"user","content":[{"type":"text","text":""},{"type":"image_url","image_url":{"url":"data:image/png;base64,'
    b'{"role": "assistant", "content": " {"role":"assistant","reasoning_content":"","content":"'
    b" the of and to in is that for it as with was on are be this by from or have an not which you can will if your at "
    b'they we their there has more The This If You I For example, In "\\n\\n\\n- **'
    b'data: {"id":"chatcmpl-","object":"chat.completion.chunk","created":17,"model":"gpt-4o-mini","service_tier":'
    b'"default","system_fingerprint":"fp_","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null'
    b'},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},'
    b'"logprobs":null,"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    b'{"id":"chatcmpl-","object":"chat.completion","created":17,"model":"deepseek-chat","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":,"completion_tokens":,"total_tokens":,"prompt_tokens_details":{"cached_tokens":0,'
    b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,'
    b'"rejected_prediction_tokens":0},"prompt_cache_hit_tokens":,"prompt_cache_miss_tokens":},"service_tier":"default",'
    b'"system_fingerprint":"fp_"} '
    b'{"messages":,"model":"deepseek-chat","max_tokens":,"temperature":0.7,"top_p":1,"stream":true,"stream_options":'
    b'{"include_usage":true},"response_format":{"type":"json_object"},"tools":,"tool_choice":"auto"} '
    b"POST https://api.openai.com/v1/chat/completions POST https://api.deepseek.com/chat/completions Host "
    b"Accept application/json Accept-Encoding gzip, deflate, br, zstd Connection keep-alive "
    b"Content-Type application/json "
    b"User-Agent OpenAI/Python AsyncOpenAI/Python python-httpx/0.28.1 python-httpx2/2.16.0 X-Stainless-Lang python "
    b"X-Stainless-Package-Version X-Stainless-OS Linux MacOS X-Stainless-Arch x64 arm64 X-Stainless-Runtime CPython "
    b"X-Stainless-Runtime-Version 3.1 Authorization [redacted] X-Stainless-Async false async:asyncio "
    b"x-stainless-retry-count 0 x-stainless-read-timeout 600 traceparent 00- Content-Length HTTP/1.1 HTTP/2 OK complete"
)
