// Sign-in; afterwards the page that was asked for.

import { Anchor, Button, PasswordInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { calls } from '../api/calls.js';
import { ApiError } from '../api/problem.js';
import { openSession } from '../api/session.js';
import { useSession } from '../api/use-session.js';
import { Fault } from '../shell/Fault.js';
import classes from './Entry.module.css';

export function LoginPage() {
  const session = useSession();
  const [search] = useSearchParams();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const setup = useQuery({ queryKey: ['setup'], queryFn: calls.setupState, staleTime: 0 });
  const login = useMutation({
    mutationFn: () => calls.login({ username: username.trim(), password }),
    onSuccess: openSession,
    onError: () => setPassword(''),
  });
  useEffect(() => {
    document.title = 'Sign in · Nightjar';
  }, []);
  // Only a path of this console: anything else could lead away from it.
  const target = search.get('to');
  const safeTarget = target !== null && /^\/(?![/\\])/.test(target) ? target : '/';
  if (session.kind === 'signed-in') return <Navigate to={safeTarget} replace />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  const wrong = login.error instanceof ApiError && login.error.status === 401;
  return (
    <main className={classes.root}>
      <form className={classes.card} onSubmit={submit}>
        <Brand />
        {setup.data?.needed === true && (
          <Text size="sm" className={classes.note}>
            No administrator has a password yet. Open the one-time set-up link that Nightjar wrote
            into its start-up log, or paste its token on the{' '}
            <Anchor href="/setup">set-up page</Anchor>.
          </Text>
        )}
        <TextInput
          label="User name"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={username}
          onChange={(change) => setUsername(change.currentTarget.value)}
          data-testid="login-username"
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(change) => setPassword(change.currentTarget.value)}
          data-testid="login-password"
        />
        {login.isError && (
          <Fault
            error={
              wrong
                ? new Error('User name or password is wrong. Check both and try again.')
                : login.error
            }
            title="Not signed in"
          />
        )}
        <Button
          type="submit"
          size="sm"
          fullWidth
          loading={login.isPending}
          data-testid="login-submit"
        >
          Sign in
        </Button>
      </form>
    </main>
  );
}

export function Brand() {
  return (
    <div className={classes.brand}>
      <img src="/favicon.svg" alt="" width={34} height={34} />
      <h1>Nightjar</h1>
    </div>
  );
}
